"""HTTP door of grades."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import Path, Query, Request, Response

from services.customer.grading.explanation import READ
from services.customer.grading.reading import RECHECK, Grades
from services.customer.grading.reproduction import REPRODUCE, Reproductions
from services.customer.grading.schemas import GradeChangeView, GradeView, QuarterView, ReproductionView
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor
from shared.web.problems import prefers_chinese

_FIRST = 2**31 - 1
_LAST_QUARTER = "9999Q5"
Lang = Annotated[Literal["zh", "en"] | None, Query(description="of `sentences`; else as Accept-Language says")]


def build(grades: Grades, reproductions: Reproductions) -> Router:
    """The routes of grades."""
    router = Router(prefix="/v1/customers/{customer_id}", tags=["grades"])

    @router.get("/grade", summary="The grade and why it is so", response_model=GradeView,
                responses=problem_responses(404, 422))  # fmt: skip
    async def get_customer_grade(
        customer_id: UUID, request: Request, tx: Tx, who: Annotated[Principal, may(READ)], lang: Lang = None
    ) -> Response:
        return _json(_told([await grades.latest(tx, who, customer_id, now())], request, lang)[0])

    @router.get("/grades", summary="Every change of grade, newest first", response_model=Page[GradeChangeView],
                responses=problem_responses(404, 422))  # fmt: skip
    async def list_customer_grades(
        customer_id: UUID, request: Request, tx: Tx, who: Annotated[Principal, may(READ)],
        cursor: Cursor = None, limit: Limit = 50, lang: Lang = None,
    ) -> Response:  # fmt: skip
        below = read_cursor(cursor, int)[0] if cursor else _FIRST
        items, more = await grades.changes(tx, who, customer_id, min(max(below, 0), _FIRST), limit, now())
        items = _told(items, request, lang)
        return _json({"items": items, "next_cursor": write_cursor(items[-1]["serial"]) if more else None})

    @router.post("/grade/recheck", summary="Check the grade at once", response_model=GradeView,
                 responses=problem_responses(404, 409, 422))  # fmt: skip
    async def recheck_customer_grade(
        customer_id: UUID, request: Request, tx: Tx, who: Annotated[Principal, may(RECHECK)], lang: Lang = None
    ) -> Response:
        return _json(_told([await grades.recheck(tx, who, customer_id, now())], request, lang)[0])

    @router.get("/grades/quarters", summary="The grade of each quarter, newest first", response_model=Page[QuarterView],
                responses=problem_responses(404, 422))  # fmt: skip
    async def list_customer_grade_quarters(
        customer_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)], cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        below = read_cursor(cursor, str)[0] if cursor else _LAST_QUARTER
        items, more = await grades.quarters(tx, who, customer_id, below, limit)
        return _json({"items": items, "next_cursor": write_cursor(items[-1]["quarter"]) if more else None})

    @router.post("/grades/{serial}/reproduce", summary="Reckon an old grade anew from what was kept of it",
                 response_model=ReproductionView, responses=problem_responses(404, 409, 422))  # fmt: skip
    async def reproduce_customer_grade(
        customer_id: UUID, serial: Annotated[int, Path(ge=1, le=_FIRST)], tx: Tx,
        who: Annotated[Principal, may(REPRODUCE)],
    ) -> Response:  # fmt: skip
        return _json(await reproductions.reproduce(tx, who, customer_id, serial))

    return router


def _told(views: list[dict[str, Any]], request: Request, lang: str | None) -> list[dict[str, Any]]:
    """The same with the sentences in one language."""
    chosen = lang or ("zh" if prefers_chinese(request.headers.get("accept-language")) else "en")
    return [{**view, "sentences": [each[chosen] for each in view["sentences"]]} for view in views]


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body, default=str), media_type="application/json")
