"""Gathers what needs attention; each part stands alone, so that one silent service hides nothing of the others."""

from typing import Any

from services.console.clients import Panel, Peers, panel, together
from services.console.dead_letter.service import DeadLetters
from services.console.entry.rules import Search
from services.console.entry.service import Entries
from services.console.visits import Visit

_LATEST = 8
_COUNTED = 50


class Overview:
    def __init__(self, peers: Peers, entries: Entries, dead_letters: DeadLetters) -> None:
        self._peers = peers
        self._entries = entries
        self._dead_letters = dead_letters

    async def gather(self, visit: Visit) -> dict[str, Any]:
        """`health` by service; `letters`, `unread` and `latest` only if the person may see them, else None."""
        return await together(
            health=self._health(),
            letters=self._dead_letters.by_service(visit) if visit.may("dead_letter.read") else _nothing(),
            unread=self._unread(visit) if visit.may("inbox.read") else _nothing(),
            latest=panel(self._entries.page(visit, Search(), limit=_LATEST)) if visit.may("entry.read") else _nothing(),
        )

    async def _health(self) -> dict[str, bool | None]:
        return await together(**{name: self._peers.is_ready(name) for name in self._peers.addresses})

    async def _unread(self, visit: Visit) -> Panel[dict[str, Any]]:
        return await panel(self._count_unread(visit))

    async def _count_unread(self, visit: Visit) -> dict[str, Any]:
        page = await self._peers.get(visit, "notify", "/v1/inbox", unread="true", limit=_COUNTED)
        return {"count": len(page["items"]), "more": page["next_cursor"] is not None}


async def _nothing() -> None:
    return None
