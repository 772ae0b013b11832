"""HTTP door of relations."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Header, Query, Response

from services.customer.relation.schemas import NewRelation, RelationChange, RelationEnd, RelationView
from services.customer.relation.service import CHANGE, READ, Relations
from shared.auth import Principal, may
from shared.clock import now
from shared.edits import etag_of, version_of
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

_LAST = UUID(int=2**128 - 1)
IfMatch = Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')]
_CHANGING = problem_responses(400, 404, 409, 412, 413, 422, 428)


def build(relations: Relations) -> Router:
    """The routes of relations."""
    router = Router(prefix="/v1/customers/{customer_id}/relations", tags=["relations"])

    @router.get("", summary="Relations of a customer, from both sides, newest first",
                response_model=Page[RelationView], responses=problem_responses(404, 422))  # fmt: skip
    async def list_customer_relations(
        customer_id: UUID,
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        cursor: Cursor = None,
        limit: Limit = 50,
        going_on: Annotated[bool | None, Query(description="only those that go on, or that have ended")] = None,
    ) -> Response:
        below = read_cursor(cursor, UUID)[0] if cursor else _LAST
        items, more = await relations.page(tx, who, customer_id, below, limit, going_on, now())
        return _json({"items": items, "next_cursor": write_cursor(items[-1]["id"]) if more else None})

    @router.post("", status_code=201, summary="Say what somebody is to a customer", response_model=RelationView,
                 responses=problem_responses(400, 404, 409, 413, 422))  # fmt: skip
    async def add_customer_relation(
        customer_id: UUID, body: NewRelation, tx: Tx, who: Annotated[Principal, may(CHANGE)]
    ) -> Response:
        return _json(await relations.add(tx, who, customer_id, body.wish, now()), 201)

    @router.patch("/{relation_id}", summary="Change share, first day or party", response_model=RelationView,
                  responses=_CHANGING)  # fmt: skip
    async def change_customer_relation(
        customer_id: UUID, relation_id: UUID, body: RelationChange, tx: Tx, who: Annotated[Principal, may(CHANGE)],
        if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        base = version_of(if_match)
        return _json(await relations.change(tx, who, customer_id, relation_id, base, body.given, now()))

    @router.post("/{relation_id}/end", summary="Let a relation be over", response_model=RelationView,
                 responses=_CHANGING)  # fmt: skip
    async def end_customer_relation(
        customer_id: UUID, relation_id: UUID, body: RelationEnd, tx: Tx, who: Annotated[Principal, may(CHANGE)],
        if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        base = version_of(if_match)
        return _json(await relations.end(tx, who, customer_id, relation_id, base, body.ended_on, now()))

    return router


def _json(body: Any, status: int = 200) -> Response:
    headers = {"ETag": etag_of(body["version"])} if "version" in body else {}
    return Response(orjson.dumps(body, default=str), status, headers, "application/json")
