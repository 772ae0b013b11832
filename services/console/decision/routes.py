"""The page that explains authority."""

from typing import Annotated

from fastapi import Depends, Query, Response

from services.console.clients import panel
from services.console.decision.service import Decisions
from services.console.pages import Pages
from services.console.visits import Visit, Visits
from shared.clock import day_of, now
from shared.web import Router

Text = Annotated[str | None, Query(max_length=500)]


def build(pages: Pages, visits: Visits, decisions: Decisions) -> Router:
    router = Router(prefix="/why", include_in_schema=False)
    Person = Annotated[Visit, Depends(visits.signed_in)]  # noqa: N806 - a type

    @router.get("")
    async def explain_authority(
        visit: Person, name: Text = None, action: Text = None, id: Text = None, field: Text = None
    ) -> Response:
        today = day_of(now())
        given = {"name": name, "action": action, "id": id, "field": field}
        asked = {key: (value or "").strip() for key, value in given.items()}
        found = None
        if asked["name"] and asked["action"]:
            question = decisions.explain(
                visit, today, asked["name"], asked["action"], asked["id"] or None, asked["field"] or None
            )
            found = await panel(question)
        return pages.answer(visit, "why.html", asked=asked, found=found, actions=decisions.actions(today))

    return router
