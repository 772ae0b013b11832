"""Asks the identity service for what the pages about people show. Called by the routes."""

from collections.abc import Mapping
from typing import Any

from services.console.clients import Panel, Peers, panel, together
from services.console.visits import Visit

STATES = ("expected", "active", "leaving", "left")
_PAGE = 50
_HISTORY = 20
_LINES = 50
_UNITS = 5000


class People:
    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def gather_list(self, visit: Visit, filters: Mapping[str, str | None], cursor: str | None) -> dict[str, Any]:
        """A page of people, and the units by id."""
        page = self._peers.get(visit, "identity", "/v1/staff", **filters, cursor=cursor, limit=_PAGE)
        return await together(found=panel(page), units=self._units(visit))

    async def gather(self, visit: Visit, name: str, history_cursor: str | None) -> dict[str, Any]:
        """The person must be there; the rest stands alone, None if not for whoever asks."""
        path = f"/v1/staff/{name}"
        person = await self._peers.get(visit, "identity", path)
        asked = {
            "hand_over": panel(self._peers.get(visit, "identity", f"{path}/hand-over")),
            "units": self._units(visit),
        }
        if visit.may("line.read"):
            asked["lines"] = panel(self._peers.get(visit, "identity", "/v1/lines", holder=name, limit=_LINES))
        if visit.may("staff.history.read"):
            history = self._peers.get(visit, "identity", f"{path}/history", cursor=history_cursor, limit=_HISTORY)
            asked["history"] = panel(history)
        return {"person": person, "lines": None, "history": None, **await together(**asked)}

    async def _units(self, visit: Visit) -> Mapping[str, Any]:
        """Titles of units by id; those that cannot be had are shown by their ids."""
        if not visit.may("unit.read"):
            return {}
        found: Panel[Any] = await panel(self._peers.get(visit, "identity", "/v1/units", limit=_UNITS))
        return {} if found.content is None else {each["id"]: each["title"] for each in found.content["items"]}
