"""Whether a person may sign in at all, and with which roles; who they are is the staff's to say."""

from dataclasses import dataclass
from datetime import datetime

from services.identity.staff.service import Staff
from shared.auth.roster import holdings, is_in_service
from shared.clock import day_of
from shared.db import Transaction
from shared.regime import Regimes, Role, Secrecy, highest


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the directory. `in_service`: works here today."""

    name: str
    roles: tuple[str, ...]
    unit: str
    in_service: bool


class People:
    """Looks people up."""

    def __init__(self, staff: Staff, regimes: Regimes) -> None:
        self._staff = staff
        self._regimes = regimes

    async def find(self, tx: Transaction, name: str, now: datetime) -> Person | None:
        """The person of this name, as they stand on this day."""
        today = day_of(now)
        standing = await self._staff.standing(tx, name, today)
        if standing is None:
            return None
        roles = tuple(sorted({held.role for held in holdings(standing, today)}))
        return Person(name, roles, standing.unit, is_in_service(standing, today))

    async def clearance(self, tx: Transaction, name: str, now: datetime) -> Secrecy:
        """The highest level that roles of theirs clear, today or later; what nobody needs clearance for, if none.

        A cap does not count: it is lowered more easily than roles are given, and lifted again.
        """
        today = day_of(now)
        standing = await self._staff.standing(tx, name, today)
        held = standing.held if standing is not None else ()
        found = [self._regimes.find(Role, each.role, on=max(each.from_on, today)) for each in held]
        return highest(role.clearance for role in found if role is not None)

    async def full_name(self, tx: Transaction, name: str) -> str | None:
        """What a person is called."""
        return await self._staff.full_name(tx, name)
