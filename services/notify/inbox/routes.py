"""The inbox's HTTP door: one's own messages, and those of one's unit."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.notify.inbox import service
from services.notify.inbox.schemas import InboxEntry
from shared.auth import Principal, may
from shared.clock import now
from shared.db import Record
from shared.regime import Secrecy
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

Reader = Annotated[Principal, may("inbox.read")]


def build() -> Router:
    router = Router(prefix="/v1/inbox", tags=["inbox"])

    @router.get("", summary="The caller's messages, newest first", responses=problem_responses(422))
    async def list_inbox(
        tx: Tx,
        who: Reader,
        cursor: Cursor = None,
        limit: Limit = 50,
        unread: Annotated[bool, Query(description="only what the caller has not read")] = False,
    ) -> Page[InboxEntry]:
        before = read_cursor(cursor, UUID)[0] if cursor else None
        rows = await service.page(tx, who, before=before, unread=unread, limit=limit + 1)
        shown = [_shape(row, who) for row in rows[:limit]]
        return Page(items=shown, next_cursor=write_cursor(shown[-1].id) if len(rows) > limit else None)

    @router.post(
        "/{entry_id}/read", status_code=204, summary="Mark a message as read", responses=problem_responses(404, 422)
    )
    async def mark_read(entry_id: UUID, tx: Tx, who: Reader) -> Response:
        await service.mark_read(tx, who, entry_id, now())
        return Response(status_code=204)

    return router


def _shape(row: Record, who: Principal) -> InboxEntry:
    """A message tells what its subject's owner would show this reader today, wherever the message lies (R5.7)."""
    shown = dict(row)
    sight = who.sight(row["shown_by"], row["unit"], row["manager"])
    withheld = not sight.shows(Secrecy(row["secrecy"]))
    if withheld:
        shown.update(subject=None, body=None)
    return InboxEntry.model_validate({**shown, "withheld": withheld})
