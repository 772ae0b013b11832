"""Who can look after customers, as the directory says."""

from __future__ import annotations

from datetime import date, datetime

from services.customer.file.service import CHANGE
from shared.auth import Authenticator


class People:
    """Asks the roster in memory; without a directory nobody can tell."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def looks_after(self, name: str, unit: str, now: datetime) -> bool | None:
        """Whether somebody may change files of a unit that are theirs; None if nobody can tell."""
        if not self._authenticator.roster.people:
            return None
        who = self._authenticator.stand_in(name, now)
        return who is not None and who.actor.startswith("staff/") and bool(who.sight(CHANGE, unit, name))

    def stays(self, name: str) -> bool:
        """Whether no last day of somebody is known."""
        return self.last_day(name) is None

    def last_day(self, name: str) -> date | None:
        """The last day of somebody who leaves."""
        standing = self._authenticator.roster.people.get(name)
        return None if standing is None else standing.last_day
