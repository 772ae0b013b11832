"""Asks every service that consumes events for its dead letters, and passes on what a person decides about one."""

from collections.abc import Mapping
from typing import Any

from services.console.clients import Panel, Peers, panel, together
from services.console.visits import Visit
from shared.events import PRODUCERS

OWNERS = PRODUCERS
"""Every service follows the directory, at least; the console itself, too."""
_PAGE = 50


class DeadLetters:
    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def by_service(
        self, visit: Visit, cursors: Mapping[str, str] | None = None
    ) -> dict[str, Panel[dict[str, Any]]]:
        """A page of each owner's dead letters, newest first."""
        given = cursors or {}
        return await together(**{name: panel(self._page(visit, name, given.get(name))) for name in OWNERS})

    async def _page(self, visit: Visit, service: str, cursor: str | None) -> dict[str, Any]:
        found: dict[str, Any] = await self._peers.get(visit, service, "/v1/dead-letters", cursor=cursor, limit=_PAGE)
        return found

    async def letter(self, visit: Visit, service: str, letter_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._peers.get(visit, service, f"/v1/dead-letters/{letter_id}")
        return found

    async def decide(self, visit: Visit, service: str, letter_id: str, verb: str, key: str | None) -> None:
        """`verb` is replay or discard; `key` makes a second click harmless. Raises: Refused"""
        await self._peers.send(visit, service, "POST", f"/v1/dead-letters/{letter_id}/{verb}", key=key)
