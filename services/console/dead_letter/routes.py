"""The pages about dead letters. Discarding asks once more on a page of its own, since it cannot be taken back."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response

from services.console.clients import Panel, Problem, Refused, panel
from services.console.dead_letter.service import OWNERS, DeadLetters
from services.console.pages import Pages
from services.console.visits import Visit, Visits
from shared.errors import NotFound
from shared.ids import new_id
from shared.web import Router

Text = Annotated[str | None, Query(max_length=500)]


def build(pages: Pages, visits: Visits, letters: DeadLetters) -> Router:
    router = Router(prefix="/dead-letters", include_in_schema=False)
    Person = Annotated[Visit, Depends(visits.signed_in)]  # noqa: N806 - a type

    @router.get("")
    async def list_dead_letters(
        visit: Person, service: Text = None, cursor: Text = None, done: Literal["replay", "discard"] | None = None
    ) -> Response:
        cursors = {service: cursor} if service and cursor else {}
        found = await letters.by_service(visit, cursors)
        return pages.answer(visit, "dead_letters.html", found=found, turned=set(cursors), done=done)

    @router.get("/{service}/{letter_id}")
    async def show_dead_letter(visit: Person, service: str, letter_id: UUID) -> Response:
        return await _show(visit, _owner(service), str(letter_id))

    @router.get("/{service}/{letter_id}/discard")
    async def ask_to_discard(visit: Person, service: str, letter_id: UUID) -> Response:
        letter = await letters.letter(visit, _owner(service), str(letter_id))
        return pages.answer(visit, "discard.html", service=service, letter=letter, once=str(new_id()))

    @router.post("/{service}/{letter_id}/{verb}")
    async def decide_dead_letter(
        visit: Person, service: str, letter_id: UUID, verb: Literal["replay", "discard"]
    ) -> Response:
        try:
            await letters.decide(visit, _owner(service), str(letter_id), verb, visit.text("once"))
        except Refused as refused:
            if refused.problem.status == 401:
                raise
            return await _show(visit, service, str(letter_id), refused.problem)
        return pages.redirect(f"/dead-letters?done={verb}")

    async def _show(visit: Visit, service: str, letter_id: str, problem: Problem | None = None) -> Response:
        """The letter, and what a decision about it ran into; after that it may even be gone."""
        question = letters.letter(visit, service, letter_id)
        found = await panel(question) if problem else Panel(await question)
        shown = {"service": service, "found": found, "problem": problem, "once": str(new_id())}
        return pages.answer(visit, "dead_letter.html", problem.status if problem else 200, **shown)

    return router


def _owner(service: str) -> str:
    if service not in OWNERS:
        raise NotFound("not_found", "No such service has dead letters.")
    return service
