"""HTTP door of subject access."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Response

from services.customer.file.related import DISCLOSE
from services.customer.subject.schemas import DisclosureView
from services.customer.subject.service import Subjects
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Router, Tx, problem_responses


def build(subjects: Subjects) -> Router:
    """The route of subject access."""
    router = Router(prefix="/v1", tags=["subject access"])

    @router.get(
        "/customers/{customer_id}/disclosure", summary="All that is kept of a customer, for that customer (R15.1)",
        response_model=DisclosureView, responses=problem_responses(404, 422),
    )  # fmt: skip
    async def disclose_customer(customer_id: UUID, tx: Tx, who: Annotated[Principal, may(DISCLOSE)]) -> Response:
        body = orjson.dumps(await subjects.disclose(tx, who, customer_id, now()), default=str)
        headers = {"Content-Disposition": f'attachment; filename="customer-{customer_id}.json"'}
        return Response(body, headers=headers, media_type="application/json")

    return router
