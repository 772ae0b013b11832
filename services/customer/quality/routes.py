"""HTTP door of quality: of one file, figures to drill down in, their trend, and the worst files."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Query, Response

from services.customer.quality.reading import READ, Filters, Quality
from services.customer.quality.schemas import Figures, FileLine, QualityView, Trend
from shared.auth import Principal, may
from shared.clock import now
from shared.errors import Fault, Invalid
from shared.regime import Part
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

Filter = Annotated[str | None, Query(min_length=1, max_length=100)]


class By(StrEnum):
    """What figures are told apart by."""

    UNIT = "unit"
    MANAGER = "manager"
    ITEM = "item"


def _filters(unit: Filter = None, under: Filter = None, manager: Filter = None, kind: Filter = None) -> Filters:
    return Filters(unit, under, manager, kind)


Of = Annotated[Filters, Depends(_filters)]
Reader = Annotated[Principal, may(READ)]


def build(quality: Quality) -> Router:
    """The routes of quality."""
    router = Router(prefix="/v1", tags=["quality"])
    _file_routes(router, quality)
    _figure_routes(router, quality)
    return router


def _file_routes(router: Router, quality: Quality) -> None:
    @router.get(
        "/customers/{customer_id}/quality", summary="The quality of a file, and what fails", response_model=QualityView,
        responses=problem_responses(404, 422),
    )  # fmt: skip
    async def get_customer_quality(customer_id: UUID, tx: Tx, who: Reader) -> Response:
        return _json(await quality.of(tx, who, customer_id, now()))

    @router.get(
        "/quality/customers", summary="Files, the worst first; of one part, below a mark, failing in an item",
        response_model=Page[FileLine], responses=problem_responses(422),
    )  # fmt: skip
    async def list_customers_by_quality(
        tx: Tx,
        who: Reader,
        of: Of,
        part: Part | None = None,
        below: Annotated[Decimal | None, Query(gt=0, le=101, max_digits=7, decimal_places=4)] = None,
        level: Filter = None,
        item: Annotated[str | None, Query(max_length=60, description="an item, rule or review that fails")] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        after = None
        if cursor is not None:
            mark, customer_id = read_cursor(cursor, str, UUID)
            after = _mark(mark, cursor), customer_id
        asked = part or "score"
        items, last = await quality.files(tx, who, of, asked, below, level, item, after, limit, now())
        return _json({"items": items, "next_cursor": None if last is None else write_cursor(*map(str, last))})


def _figure_routes(router: Router, quality: Quality) -> None:
    @router.get(
        "/quality", summary="Units or managers, the worst first; or what most files fail in", response_model=Figures,
        responses=problem_responses(422),
    )  # fmt: skip
    async def list_quality(
        tx: Tx, who: Reader, of: Of, by: By = By.UNIT, part: Part | None = None, cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:  # fmt: skip
        last: tuple[Any, ...] | None
        if by is By.ITEM:
            place = None
            if cursor is not None:
                n, kind, what = read_cursor(cursor, int, str, str)
                place = n, kind, what
            items, last = await quality.failing(tx, who, of, part, place, limit, now())
        else:
            after = None
            if cursor is not None:
                mean, name = read_cursor(cursor, str, str)
                after = _mark(mean, cursor), name
            items, last = await quality.figures(tx, who, by.value, of, part or "score", after, limit)
        total = await quality.total(tx, who, of)
        return _json({"total": total, "items": items, "next_cursor": None if last is None else write_cursor(*last)})

    @router.get("/quality/trend", summary="The same figures, month by month", response_model=Trend,
                responses=problem_responses(422))  # fmt: skip
    async def get_quality_trend(
        tx: Tx, who: Reader, of: Of, months: Annotated[int, Query(ge=1, le=60)] = 12
    ) -> Response:
        return _json({"items": await quality.trend(tx, who, of, months, now())})


def _mark(text: str, cursor: str) -> Decimal:
    try:
        mark = Decimal(text)
    except InvalidOperation:
        mark = Decimal("NaN")
    if not mark.is_finite() or abs(mark) > 1_000:
        fault = Fault("query:cursor", "bad_cursor", cursor[:80], "next_cursor of the page before, unchanged")
        raise Invalid("bad_cursor", "Start again without a cursor.", [fault])
    return mark


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body, default=str), 200, media_type="application/json")
