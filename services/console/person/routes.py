"""The pages about people."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Response

from services.console.pages import Pages
from services.console.person.service import STATES, People
from services.console.visits import Visit, Visits
from shared.web import Router

Text = Annotated[str | None, Query(max_length=500)]
Name = Annotated[str, Path(pattern=r"^[a-z0-9._-]+$", max_length=64)]


def build(
    pages: Pages, visits: Visits, people: People, roles: Mapping[str, Any], channels: Mapping[str, Any]
) -> Router:
    """`roles`, `channels`: {zh, en} by code."""
    router = Router(prefix="/people", include_in_schema=False)
    Person = Annotated[Visit, Depends(visits.signed_in)]  # noqa: N806 - a type

    @router.get("")
    async def list_people(
        visit: Person, unit: Text = None, state: Text = None, role: Text = None, cursor: Text = None
    ) -> Response:
        given = {"unit": unit, "state": state, "role": role}
        filters = {field: (value or "").strip() or None for field, value in given.items()}
        content = await people.gather_list(visit, filters, cursor)
        return pages.answer(
            visit, "people.html", filters=filters, is_first=cursor is None, states=STATES, roles=roles, **content
        )

    @router.get("/{name}")
    async def show_person(visit: Person, name: Name, history: Text = None) -> Response:
        content = await people.gather(visit, name, history)
        return pages.answer(
            visit, "person.html", is_newest_history=history is None, roles=roles, channels=channels, **content
        )

    return router
