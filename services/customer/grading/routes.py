"""HTTP door of grades."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Response

from services.customer.grading.explanation import READ
from services.customer.grading.reading import RECHECK, Grades
from services.customer.grading.schemas import GradeChangeView, GradeView
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

_FIRST = 2**31 - 1


def build(grades: Grades) -> Router:
    """The routes of grades."""
    router = Router(prefix="/v1/customers/{customer_id}", tags=["grades"])

    @router.get("/grade", summary="The grade and why it is so", response_model=GradeView,
                responses=problem_responses(404, 422))  # fmt: skip
    async def get_customer_grade(customer_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)]) -> Response:
        return _json(await grades.latest(tx, who, customer_id, now()))

    @router.get("/grades", summary="Every change of grade, newest first", response_model=Page[GradeChangeView],
                responses=problem_responses(404, 422))  # fmt: skip
    async def list_customer_grades(
        customer_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)], cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        below = read_cursor(cursor, int)[0] if cursor else _FIRST
        items, more = await grades.changes(tx, who, customer_id, min(max(below, 0), _FIRST), limit, now())
        return _json({"items": items, "next_cursor": write_cursor(items[-1]["serial"]) if more else None})

    @router.post("/grade/recheck", summary="Check the grade at once", response_model=GradeView,
                 responses=problem_responses(404, 409, 422))  # fmt: skip
    async def recheck_customer_grade(customer_id: UUID, tx: Tx, who: Annotated[Principal, may(RECHECK)]) -> Response:
        return _json(await grades.recheck(tx, who, customer_id, now()))

    return router


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body, default=str), media_type="application/json")
