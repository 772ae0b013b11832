"""HTTP door of timelines."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Query, Response

from services.customer.file.errors import bad_cursor
from services.customer.timeline import rules
from services.customer.timeline.rules import FILE, Line, Position
from services.customer.timeline.schemas import LineView
from services.customer.timeline.service import READ, Timelines
from shared.auth import Principal, may
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor


def build(timelines: Timelines) -> Router:
    """The route of the timeline."""
    router = Router(prefix="/v1", tags=["timeline"])

    @router.get(
        "/customers/{customer_id}/timeline", summary="Everything about one customer, newest first",
        response_model=Page[LineView], responses=problem_responses(404, 422),
    )  # fmt: skip
    async def get_customer_timeline(
        customer_id: UUID,
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        cursor: Cursor = None,
        limit: Limit = 50,
        type: Annotated[str | None, Query(min_length=1, max_length=80, description="only lines of this type")] = None,
    ) -> Response:
        position = Position() if cursor is None else _read(cursor)
        lines, after = await timelines.page(tx, who, customer_id, position, limit, type)
        body = {
            "items": [_shown(line) for line in lines],
            "next_cursor": None if after is None else write_cursor(*rules.written(after)),
        }
        return Response(orjson.dumps(body, default=str), media_type="application/json")

    return router


def _read(cursor: str) -> Position:
    position = rules.read(*read_cursor(cursor, str, str, int, int))
    if position is None:
        raise bad_cursor(cursor)
    return position


def _shown(line: Line) -> dict[str, Any]:
    told = line.told
    return {
        "at": told.at,
        "type": told.type,
        "actor": told.actor,
        "source": "file" if line.source == FILE else line.source,
        "record": told.record,
        "facts": told.facts,
    }
