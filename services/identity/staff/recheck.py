"""Looks anew at what a caller may do, once they hold the directory (`Org.hold`).

While somebody waits for other writers, one of these may take their authority away. The roster hears of it later; this
database says who holds what. Called by org, before anything is decided. Requirement R2.2.
"""

from collections.abc import Awaitable, Callable, Mapping, Set
from datetime import datetime
from typing import TypeAlias

from services.identity.staff import errors, repository
from services.identity.staff.access import is_same
from services.identity.staff.rules import standing_of
from shared.auth import Authority, Power, Principal
from shared.auth.roster import holdings
from shared.clock import day_of
from shared.db import Transaction
from shared.regime import Regimes, Secrecy

Powers: TypeAlias = Mapping[str, tuple[Power, ...]]


class Recheck:
    """Refuses a caller who may do less by now. Programs are none of the directory's people."""

    def __init__(self, regimes: Regimes, clock: Callable[[], datetime]) -> None:
        self._authority = Authority(regimes)
        self._clock = clock

    async def __call__(
        self, tx: Transaction, who: Principal, below: Callable[[Transaction, str], Awaitable[Set[str]]]
    ) -> None:
        """`below` gives a unit with all units under it. Raises: Forbidden (authority_changed)"""
        person = await repository.get(tx, who.name) if is_same(who, who.name) else None
        if person is None:
            return
        today = day_of(self._clock())
        held = holdings(standing_of(person, await repository.held(tx, who.name), today), today)
        units = {each.unit: frozenset(await below(tx, each.unit)) for each in held}
        clearance = Secrecy(person.clearance) if person.clearance else None
        if not keeps(who.powers, self._authority.on(today).powers(who.name, held, units.__getitem__, clearance)):
            raise errors.authority_changed()


def keeps(before: Powers, after: Powers) -> bool:
    """Whether all that was granted is granted still: by the same role, reaching and showing no less."""
    return all(
        any(_covers(new, old) for new in after.get(action, ())) for action, powers in before.items() for old in powers
    )


def _covers(new: Power, old: Power) -> bool:
    same = (new.role, new.fields, new.purpose) == (old.role, old.fields, old.purpose)
    reaches = new.scope.everything or new.scope | old.scope == new.scope
    return same and reaches and new.clearance.covers(old.clearance)
