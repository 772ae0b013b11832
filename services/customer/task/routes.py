"""HTTP door of tasks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from services.customer.task.schemas import TasksView, TaskView
from services.customer.task.service import READ, Tasks
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Limit, Router, Tx, problem_responses


def build(tasks: Tasks) -> Router:
    """The route of tasks."""
    router = Router(prefix="/v1", tags=["tasks"])

    @router.get("/tasks", summary="What waits for me, the most pressing first", responses=problem_responses(422))
    async def list_tasks(
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        limit: Limit = 50,
        type: Annotated[str | None, Query(min_length=1, max_length=80, description="only tasks of this type")] = None,
    ) -> TasksView:
        found = await tasks.of(tx, who, type, limit, now())
        return TasksView(items=[TaskView(**each) for each in found.items], counts=found.counts)

    return router
