"""HTTP door of the search."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Query, Response

from services.customer.search import errors
from services.customer.search.schemas import SearchAnswer
from services.customer.search.service import READ, Rank, Searching, Wanted
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Cursor, Limit, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

Filter = Annotated[str | None, Query(min_length=1, max_length=100)]


def build(searching: Searching) -> Router:
    """The route of the search. It comes before those of files: its path is like that of a customer."""
    router = Router(prefix="/v1", tags=["customers"])

    @router.get(
        "/customers/search", summary="Customers by any part of what they are searched for by (R1.1)",
        response_model=SearchAnswer, responses=problem_responses(404, 422),
    )  # fmt: skip
    async def search_customers(
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        q: Annotated[str, Query(description="part of a name, an address, a number; pinyin or its first letters")],
        kind: Filter = None,
        unit: Filter = None,
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Response:
        found = await searching.page(tx, who, Wanted(q, kind, unit, _after(cursor)), limit, now())
        after = None if found.after is None else write_cursor(found.after[0], found.after[1].hex(), found.after[2])
        body = {"items": found.items, "next_cursor": after, "capped": found.capped, "indexing": found.indexing}
        return Response(orjson.dumps(body, default=str), media_type="application/json")

    return router


def _after(cursor: str | None) -> Rank | None:
    if cursor is None:
        return None
    rank, key, customer_id = read_cursor(cursor, int, str, UUID)
    try:
        return rank, bytes.fromhex(key), customer_id
    except ValueError:
        raise errors.bad_cursor(cursor) from None
