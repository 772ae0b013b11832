"""HTTP door of customer files: one call of a service each. Answers are finished bytes: nothing is built twice."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.customer.dictionary.service import Dictionaries
from services.customer.file import errors, examples, listing, rules
from services.customer.file.history import HISTORY, OPEN, Histories, Sealed
from services.customer.file.keys import ERASE, Keys
from services.customer.file.past import Past
from services.customer.file.schemas import (
    Change,
    ChangedView,
    CustomerRow,
    CustomerView,
    Erasure,
    HistoryEntry,
    PastView,
    Registration,
    Restoration,
    Then,
)
from services.customer.file.service import CHANGE, READ, REGISTER, Files
from shared.auth import Principal, may
from shared.clock import now
from shared.edits import etag_of, known_version, version_of
from shared.errors import PreconditionFailed
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor
from shared.web.problems import render
from shared.web.sealed import OpenAnswer, OpenRequest

_FIRST = 2**31 - 1
_PAST = [
    {"name": name, "in": "query", "required": False, "schema": schema}
    for name, schema in Then.model_json_schema()["properties"].items()
]
Filter = Annotated[str | None, Query(min_length=1, max_length=100)]


def build(files: Files, past: Past, histories: Histories, keys: Keys, dictionaries: Dictionaries) -> Router:
    """The routes of customer files."""
    router = Router(prefix="/v1", tags=["customers"])
    _write_routes(router, files, keys, dictionaries)
    _read_routes(router, files, past)
    _history_routes(router, histories, past)
    return router


def _write_routes(router: Router, files: Files, keys: Keys, dictionaries: Dictionaries) -> None:
    @router.patch(
        "/customers/{customer_id}", summary="Change items; edits of different items are merged",
        response_model=ChangedView, responses=problem_responses(400, 404, 409, 412, 413, 422, 428),
        openapi_extra=examples.changes(dictionaries, now()),
    )  # fmt: skip
    async def change_customer(
        customer_id: UUID,
        body: Change,
        request: Request,
        tx: Tx,
        who: Annotated[Principal, may(CHANGE)],
        if_match: Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')] = None,
    ) -> Response:
        base = version_of(if_match)
        answer = await files.change(tx, who, customer_id, base, body.values, now(), learnt=body.learnt_at)
        if isinstance(answer, PreconditionFailed):
            return render(request, answer)
        return _json(answer.body, ETag=etag_of(answer.version))

    @router.post(
        "/customers", status_code=201, summary="Register a customer", response_model=CustomerView,
        responses=problem_responses(400, 409, 413, 422), openapi_extra=examples.registrations(dictionaries, now()),
    )  # fmt: skip
    async def register_customer(body: Registration, tx: Tx, who: Annotated[Principal, may(REGISTER)]) -> Response:
        answer = await files.register(tx, who, body.kind, body.values, body.unit, now())
        return _json(answer.body, 201, ETag=etag_of(answer.version), Location=f"/v1/customers/{answer.body['id']}")

    @router.delete(
        "/customers/{customer_id}/key", summary="Erase the personal data of a customer for ever (R15.1)",
        status_code=204, responses=problem_responses(400, 404, 409, 422),
    )  # fmt: skip
    async def destroy_customer_key(
        customer_id: UUID, body: Erasure, tx: Tx, who: Annotated[Principal, may(ERASE)]
    ) -> Response:
        version = await keys.destroy(tx, who, customer_id, body.reason, now())
        return Response(status_code=204, headers={"ETag": etag_of(version)})


def _read_routes(router: Router, files: Files, past: Past) -> None:
    @router.get(
        "/customers", summary="Customers by name, as far as the caller's reach goes",
        response_model=Page[CustomerRow], responses=problem_responses(404, 422),
    )  # fmt: skip
    async def list_customers(
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        cursor: Cursor = None,
        limit: Limit = 50,
        kind: Filter = None,
        unit: Filter = None,
        number: Filter = None,
        manager: Filter = None,
        status: Filter = None,
        grade: Filter = None,
        name: Annotated[str | None, Query(min_length=1, max_length=100, description="how the name begins")] = None,
        merged: Annotated[bool, Query(description="those that were merged into another file, instead")] = False,
    ) -> Response:
        given = {"kind": kind, "unit": unit, "number": number, "manager": manager, "status": status, "grade": grade}
        wanted = listing.Wanted(
            scope=who.scope(READ),
            filters={column: value for column, value in given.items() if value is not None},
            name=name,
            merged=merged,
            after=_after(cursor),
        )
        items, after = await files.page(tx, who, wanted, limit, now())
        cursor = None if after is None else write_cursor(after[0].hex(), str(after[1]))
        return _json({"items": items, "next_cursor": cursor})

    @router.get(
        "/customers/{customer_id}", summary="One customer, today or as it stood, as far as the caller is cleared",
        response_model=CustomerView | PastView,
        responses=problem_responses(404, 409, 422) | {304: {"description": "Still at that version"}},
        openapi_extra={"parameters": _PAST},
    )  # fmt: skip
    async def get_customer(
        customer_id: UUID,
        request: Request,
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        moment = now()
        if (then := _then(request, moment)) is not None:
            return _json(await past.read(tx, who, customer_id, then, moment))
        known = known_version(if_none_match)
        answer = await files.read(tx, who, customer_id, moment, known=known)
        if answer is None:
            assert known is not None
            return Response(status_code=304, headers={"ETag": etag_of(known)})
        return _json(answer.body, ETag=etag_of(answer.version))


def _history_routes(router: Router, histories: Histories, past: Past) -> None:
    @router.get(
        "/customers/{customer_id}/history", summary="Who changed which item when, newest first",
        response_model=Page[HistoryEntry], responses=problem_responses(404, 422),
    )  # fmt: skip
    async def get_customer_history(
        customer_id: UUID, tx: Tx, who: Annotated[Principal, may(HISTORY)], cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        below = read_cursor(cursor, int)[0] if cursor else _FIRST
        entries, more = await histories.page(tx, who, customer_id, min(max(below, 0), _FIRST), limit, now())
        return _json({"items": entries, "next_cursor": write_cursor(entries[-1]["version"]) if more else None})

    @router.post(
        "/customers/{customer_id}/restore", summary="Put values back that items had at a version",
        response_model=ChangedView, responses=problem_responses(400, 404, 409, 412, 413, 422, 428),
    )  # fmt: skip
    async def restore_customer_items(
        customer_id: UUID,
        body: Restoration,
        request: Request,
        tx: Tx,
        who: Annotated[Principal, may(CHANGE)],
        if_match: Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')] = None,
    ) -> Response:
        base = version_of(if_match)
        answer = await past.restore(tx, who, customer_id, base, body.version, body.items, now())
        if isinstance(answer, PreconditionFailed):
            return render(request, answer)
        return _json(answer.body, ETag=etag_of(answer.version))

    @router.post(
        "/values/open", summary="Open the sealed values of events, as far as the caller is cleared",
        response_model=OpenAnswer, responses=problem_responses(400, 413, 422),
    )  # fmt: skip
    async def open_values(body: OpenRequest, tx: Tx, who: Annotated[Principal, may(OPEN, peer=True)]) -> Response:
        wanted = [Sealed(each.event_id, each.subject, each.sealed) for each in body.items]
        return _json({"items": await histories.open(tx, who, wanted, now())})


def _json(body: Any, status: int = 200, **headers: str) -> Response:
    return Response(
        orjson.dumps(body, default=str), status, headers, "application/json"
    )  # asyncpg has a UUID of its own


def _then(request: Request, moment: datetime) -> datetime | int | None:
    """The moment or version that is asked for, if any. Read here, so that a read of today stays a plain request."""
    if not request.scope["query_string"]:
        return None
    try:
        asked = Then.model_validate(dict(request.query_params))
    except ValidationError as error:
        found = [{**each, "loc": ("query", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(found) from None
    if asked.as_of is not None and asked.version is not None:
        raise errors.one_of_two()
    return rules.moment_of(asked.as_of, moment) if asked.as_of is not None else asked.version


def _after(cursor: str | None) -> tuple[bytes, UUID] | None:
    if cursor is None:
        return None
    key, last = read_cursor(cursor, str, str)
    try:
        return bytes.fromhex(key), UUID(last)
    except ValueError:
        raise errors.bad_cursor(cursor) from None
