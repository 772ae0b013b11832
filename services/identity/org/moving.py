"""What a move gives away: whoever holds a role over a unit and all below it reaches what comes to stand below it.

So to move is to give roles, and the refusals of that hold. Called by `Org`, which holds the directory. Requirement
R2.2.
"""

from collections.abc import Set
from datetime import date

from services.identity.org import errors, repository
from shared.auth import Principal
from shared.db import Transaction
from shared.regime import Regimes, Role, Units

GIVE = "staff.role.grant"
"""Who may do this may give roles; declared with the staff."""


async def check(tx: Transaction, regimes: Regimes, who: Principal, unit: str, above: Set[str], today: date) -> None:
    """Whether the caller may let a unit stand below these: they gain nothing, and clear what the others gain.

    Raises: Forbidden (own_standing, role_above_clearance)
    """
    below = await repository.below(tx, unit)
    giving = [power for power in who.powers.get(GIVE, ()) if power.scope.everything or below <= power.scope.units]
    newly_above = above - await repository.above(tx, unit)
    for name, holders in (await repository.roles_over(tx, newly_above, today)).items():
        role = regimes.find(Role, name, on=today)
        if role is None or all(role.reach(grant) is not Units.SUBTREE for grant in role.grants):
            continue
        if who.actor in holders:
            raise errors.own_gain(role.id)
        if not any(power.shows(role.clearance) for power in giving):
            raise errors.gain_above_clearance(role.id, role.clearance.value)
