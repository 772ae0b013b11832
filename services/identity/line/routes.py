"""The HTTP door of lines."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.identity.line.schemas import LineEnd, LineView, NewLine
from services.identity.line.service import ASSIGN, READ, Lines
from shared.auth import Principal, may
from shared.clock import day_of, now
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

Reader = Annotated[Principal, may(READ)]
Assigner = Annotated[Principal, may(ASSIGN)]
Filter = Annotated[str | None, Query(min_length=1, max_length=120)]


def build(lines: Lines) -> Router:
    router = Router(prefix="/v1/lines", tags=["lines"])

    @router.get("", summary="Lines, and whose a number is or was", responses=problem_responses(422))
    async def list_lines(
        tx: Tx,
        who: Reader,
        channel: Filter = None,
        value: Filter = None,
        holder: Filter = None,
        on: Annotated[date | None, Query(description="in force on this day")] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[LineView]:
        after = read_cursor(cursor, UUID)[0] if cursor else None
        asked = {"channel": channel, "value": value, "holder": holder}
        rows = await lines.page(tx, who, now(), limit + 1, **asked, on=on, after=after)
        items = [LineView.model_validate(dict(row)) for row in rows[:limit]]
        return Page(items=items, next_cursor=write_cursor(str(items[-1].id)) if len(rows) > limit else None)

    @router.post("", status_code=201, summary="Assign a number or account", responses=problem_responses(404, 409, 422))
    async def assign_line(body: NewLine, tx: Tx, who: Assigner) -> LineView:
        moment = now()
        from_on = body.from_on or day_of(moment)
        row = await lines.assign(tx, who, body.channel, body.value, body.holder, from_on, body.until_on, moment)
        return LineView.model_validate(dict(row))

    @router.get("/{line_id}", summary="One line", responses=problem_responses(404, 422))
    async def get_line(line_id: UUID, tx: Tx, who: Reader) -> LineView:
        return LineView.model_validate(dict(await lines.read(tx, who, line_id)))

    @router.patch("/{line_id}", summary="Take a line back, or call it off", responses=problem_responses(404, 409, 422))
    async def end_line(line_id: UUID, body: LineEnd, tx: Tx, who: Assigner) -> LineView:
        return LineView.model_validate(dict(await lines.end(tx, who, line_id, body.until_on, now())))

    return router
