"""Puts messages into inboxes and shows them to whose they are. Called by the delivery spine and by routes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notify.inbox import repository
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.errors import NotFound


def inboxes_of(who: Principal) -> tuple[str, ...]:
    """The caller's own inbox, and the shared one of the own unit; nobody's authority reaches further."""
    return (who.actor, f"unit/{who.unit}") if who.unit else (who.actor,)


async def put(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Put delivered messages in; what is in already stays as it is."""
    await repository.add(tx, rows)


async def page(tx: Transaction, who: Principal, *, before: UUID | None, unread: bool, limit: int) -> list[Record]:
    """The caller's entries, newest first, from below `before` on."""
    return await repository.page(tx, inboxes_of(who), who.actor, before=before, unread=unread, limit=limit)


async def mark_read(tx: Transaction, who: Principal, entry_id: UUID, now: datetime) -> None:
    """Note that the caller has read an entry.

    Raises: NotFound, if there is none, or it is somebody else's
    """
    recipient = await repository.recipient_of(tx, entry_id)
    if recipient not in inboxes_of(who):
        detail = "There is no such message, or it is not yours to see."
        raise NotFound("not_found", detail)
    await repository.mark_read(tx, entry_id, who.actor, now)
