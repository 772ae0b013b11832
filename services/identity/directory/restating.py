"""Publishes the whole directory once more. Called by the route.

For rosters that lost events: the bus was lost with what had not been consumed, or a service was away for longer than
the bus keeps events. Each subject gets a new version in which nothing changed, so that it passes for no repetition.
"""

from datetime import datetime
from typing import Protocol

from services.identity.client.service import Clients
from services.identity.org.service import Org
from services.identity.partner_key.service import PartnerKeys
from services.identity.staff.service import Staff
from shared.auth import Principal
from shared.db import Transaction


class Part(Protocol):
    """A feature that keeps subjects of the directory."""

    async def restate(self, tx: Transaction, actor: str, now: datetime) -> int: ...


class Restating:
    def __init__(self, org: Org, staff: Staff, clients: Clients, keys: PartnerKeys) -> None:
        self._org = org
        self._parts: dict[str, Part] = {"units": org, "people": staff, "clients": clients, "keys": keys}

    async def restate(self, tx: Transaction, who: Principal, now: datetime) -> dict[str, int]:
        """How much of each kind was published. Raises: Forbidden (authority_changed)"""
        await self._org.hold(tx, who)
        return {kind: await part.restate(tx, who.actor, now) for kind, part in self._parts.items()}
