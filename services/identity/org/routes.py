"""The HTTP door of the organisation tree."""

from typing import Annotated

from fastapi import Header, Path, Query, Response

from services.identity.org.rules import Unit
from services.identity.org.schemas import NewUnit, UnitChange, UnitPlace, UnitVersion, UnitView
from services.identity.org.service import CHANGE, MOVE, READ, Org
from shared.auth import Principal, may
from shared.clock import now
from shared.edits import etag_of, version_of
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

Id = Annotated[str, Path(max_length=64, description="id of a unit")]
IfMatch = Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')]
_FIRST = 2**31 - 1
_MANY = 5000
Many = Annotated[int, Query(ge=1, le=_MANY, description="units of a page; a company has fewer than this")]


def build(org: Org) -> Router:
    router = Router(prefix="/v1/units", tags=["organisation"])

    @router.get(
        "", summary="Organisation units by id, as far as the caller's reach goes", responses=problem_responses(422)
    )
    async def list_units(
        tx: Tx, who: Annotated[Principal, may(READ)], cursor: Cursor = None, limit: Many = _MANY
    ) -> Page[UnitView]:
        after = read_cursor(cursor, str)[0] if cursor else ""
        units = await org.page(tx, who.scope(READ), after, limit + 1)
        items = [UnitView.model_validate(unit) for unit in units[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].id) if len(units) > limit else None)

    @router.post("", status_code=201, summary="Open a unit", responses=problem_responses(409, 422))
    async def open_unit(body: NewUnit, response: Response, tx: Tx, who: Annotated[Principal, may(CHANGE)]) -> UnitView:
        unit = await org.open(tx, who, Unit(body.id, body.parent, body.kind, body.title.model_dump()), now())
        response.headers["Location"] = f"/v1/units/{unit.id}"
        return _shown(unit, response)

    @router.get("/{unit}", summary="One unit", responses=problem_responses(404, 422))
    async def get_unit(unit: Id, response: Response, tx: Tx, who: Annotated[Principal, may(READ)]) -> UnitView:
        return _shown(await org.read(tx, who, unit), response)

    @router.patch(
        "/{unit}",
        summary="Rename a unit, change its kind, close or open it; edits of different items are merged",
        responses=problem_responses(404, 409, 412, 422, 428),
    )
    async def change_unit(
        unit: Id,
        body: UnitChange,
        response: Response,
        tx: Tx,
        who: Annotated[Principal, may(CHANGE)],
        if_match: IfMatch = None,
    ) -> UnitView:
        return _shown(await org.change(tx, who, unit, version_of(if_match), body.wanted, now()), response)

    @router.put(
        "/{unit}/parent",
        summary="Move a unit below another",
        responses=problem_responses(404, 409, 412, 422, 428),
    )
    async def move_unit(
        unit: Id,
        body: UnitPlace,
        response: Response,
        tx: Tx,
        who: Annotated[Principal, may(MOVE)],
        if_match: IfMatch = None,
    ) -> UnitView:
        return _shown(await org.move(tx, who, unit, version_of(if_match), body.parent, now()), response)

    @router.get("/{unit}/history", summary="Who changed what, newest first", responses=problem_responses(404, 422))
    async def get_unit_history(
        unit: Id, tx: Tx, who: Annotated[Principal, may(READ)], cursor: Cursor = None, limit: Limit = 50
    ) -> Page[UnitVersion]:
        below = read_cursor(cursor, int)[0] if cursor else _FIRST
        rows = await org.history(tx, who, unit, min(max(below, 0), _FIRST), limit + 1)
        items = [UnitVersion.model_validate(dict(row)) for row in rows[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].version) if len(rows) > limit else None)

    return router


def _shown(unit: Unit, response: Response) -> UnitView:
    response.headers["ETag"] = etag_of(unit.version)
    return UnitView.model_validate(unit)
