"""The page of messages."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.console.clients import Peers, panel
from services.console.pages import Pages
from services.console.visits import Visit, Visits
from shared.web import Router
from shared.web.site import local_path

_PAGE = 50
Text = Annotated[str | None, Query(max_length=500)]


def build(pages: Pages, visits: Visits, peers: Peers) -> Router:
    router = Router(prefix="/inbox", include_in_schema=False)
    Person = Annotated[Visit, Depends(visits.signed_in)]  # noqa: N806 - a type

    @router.get("")
    async def show_inbox(visit: Person, unread: Text = None, cursor: Text = None) -> Response:
        only = "true" if unread else None
        found = await panel(peers.get(visit, "notify", "/v1/inbox", unread=only, cursor=cursor, limit=_PAGE))
        return pages.answer(visit, "inbox.html", found=found, unread=only, is_first=cursor is None)

    @router.post("/{entry_id}/read")
    async def mark_read(visit: Person, entry_id: UUID) -> Response:
        await peers.send(visit, "notify", "POST", f"/v1/inbox/{entry_id}/read")
        back = local_path(visit.text("back"))
        return pages.redirect(back if back.startswith("/inbox") else "/inbox")

    return router
