"""Asks the service that keeps a resource why somebody may act on it, or not. Called by the routes."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.console.clients import Peers
from services.console.visits import Visit
from shared.regime import Regimes, Resource, Text

_ANYBODY = "identity"
"""Who answers for what no service keeps for others: all decide by the same directory and the same roles."""


class Decisions:
    def __init__(self, peers: Peers, regimes: Regimes) -> None:
        self._peers = peers
        self._regimes = regimes
        self._keepers = frozenset(peers.addresses)  # the others: the console itself joins them later

    def actions(self, on: date) -> list[tuple[Mapping[str, str], list[tuple[str, Mapping[str, str]]]]]:
        """By resource its title, and the full names of its actions with theirs."""
        return [
            (_both(each.title), [(f"{each.id}.{name}", _both(action.title)) for name, action in each.actions.items()])
            for each in sorted(self._regimes.all(Resource, on=on), key=lambda resource: resource.id)
        ]

    async def explain(
        self, visit: Visit, on: date, name: str, action: str, key: str | None, field: str | None
    ) -> dict[str, Any]:
        """The decision with its reasons; `key` is the id of one thing that the action would be on. Raises: Refused"""
        resource = action.partition(".")[0]
        declared = self._regimes.find(Resource, resource, on=on)
        keeper = declared.service if declared is not None and declared.service in self._keepers else _ANYBODY
        subject = f"{resource}/{key}" if key else None
        found: dict[str, Any] = await self._peers.get(
            visit, keeper, "/v1/decisions", name=name, action=action, subject=subject, field=field
        )
        return found


def _both(text: Text) -> Mapping[str, str]:
    return {"zh": text.zh, "en": text.en}
