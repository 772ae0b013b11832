"""Whom a caller may act upon, and what a caller may hand out. Called by the services of this feature."""

from datetime import date

from services.identity.org.rules import Unit
from services.identity.org.service import Org
from services.identity.staff import errors, holding, repository
from services.identity.staff.rules import Person
from shared.auth import Principal, within
from shared.db import Transaction
from shared.errors import Fault, NotFound
from shared.regime import Holder, Regimes, Role, Units

GRANT = "staff.role.grant"


class Access:
    """Decides by reach and clearance; the declared actions are decided at the door."""

    def __init__(self, org: Org, regimes: Regimes) -> None:
        self._org = org
        self._regimes = regimes

    async def hold(self, tx: Transaction, who: Principal) -> None:
        """Let nobody else write to the directory from here on. Raises: Forbidden (authority_changed)"""
        await self._org.hold(tx, who)

    async def person(self, tx: Transaction, who: Principal, action: str, name: str) -> Person:
        """A person within reach. Raises: NotFound"""
        found = await repository.get(tx, name)
        if found is None:
            raise errors.no_such_person()
        within(who, action, found.unit, found.name)
        return found

    async def writable(self, tx: Transaction, who: Principal, action: str, name: str) -> Person:
        """The same, to change: nobody else writes to the directory from here on.

        Raises: Forbidden (authority_changed), NotFound, Conflict
        """
        await self.hold(tx, who)
        found = await self.person(tx, who, action, name)
        if found.state == "left":
            raise errors.has_left()
        return found

    async def another(self, tx: Transaction, who: Principal, action: str, name: str) -> Person:
        """The same, but not the caller. Raises: NotFound, Conflict, Forbidden (own_standing)"""
        found = await self.writable(tx, who, action, name)
        if is_same(who, name):
            raise errors.own_standing()
        return found

    async def require_no_deputy(self, tx: Transaction, who: Principal, name: str, on: date) -> None:
        """Refuse whoever stands in for a person on a day or later: what the person gets or keeps, they do.

        Raises: Forbidden (own_standing)
        """
        if any(is_same(who, deputy) for deputy in await holding.deputies(tx, name, on)):
            raise errors.own_standing()

    async def unit(self, tx: Transaction, who: Principal, action: str, unit: str, pointer: str = "/unit") -> Unit:
        """An open unit within reach. Raises: Forbidden, Invalid"""
        if not who.scope(action).reaches(unit):
            raise errors.unit_out_of_reach(unit, pointer)
        found = (await self._org.known(tx, [unit])).get(unit)
        if found is None:
            raise errors.bad_staff([Fault(pointer, "unknown", unit, "the id of a unit")])
        if found.is_closed:
            raise errors.bad_staff([Fault(pointer, "closed", unit, "an open unit")])
        return found

    async def other(self, tx: Transaction, who: Principal, action: str, name: str, pointer: str) -> Person:
        """Somebody whom the caller names beside the person, in service and within reach. Raises: Invalid"""
        try:
            found = await self.person(tx, who, action, name)
        except NotFound:
            raise errors.bad_staff(
                [Fault(pointer, "unknown", name, "the name of a person within your reach")]
            ) from None
        if found.state == "left":
            raise errors.bad_staff([Fault(pointer, "left", name, "a person who stays")])
        return found

    def is_declared(self, role: str, on: date) -> bool:
        """Whether the role is declared by a day; one that is not grants nothing up to then."""
        return self._regimes.find(Role, role, on=on) is not None

    async def may_grant(self, tx: Transaction, who: Principal, role: str, unit: str, on: date) -> Role:
        """The role, if the caller may hand it over a unit out: it shows and reaches no more than they do.

        Raises: Forbidden, Invalid
        """
        declared = self._regimes.find(Role, role, on=on)
        if declared is None or declared.held_by is not Holder.PERSON:
            known = sorted(each.id for each in self._regimes.all(Role, on=on) if each.held_by is Holder.PERSON)
            raise errors.bad_staff([Fault("/role", "unknown", role, known)])
        if not who.scope(GRANT).reaches(unit):
            raise errors.unit_out_of_reach(unit)
        await self.require_cover(tx, who, GRANT, declared, unit)
        return declared

    async def require_cover(
        self, tx: Transaction, who: Principal, action: str, role: Role, unit: str | None, pointer: str = "/role"
    ) -> None:
        """Refuse whoever, by an action over a unit, clears or reaches less than a role over it.

        Raises: Forbidden (role_above_clearance, role_beyond_reach)
        """
        if not who.sight(action, unit).shows(role.clearance):
            raise errors.role_above_clearance(role.id, role.clearance.value, pointer)
        if unit is not None and not await self._is_within(tx, who, action, role, unit):
            raise errors.role_beyond_reach(role.id, pointer)

    async def _is_within(self, tx: Transaction, who: Principal, action: str, role: Role, unit: str) -> bool:
        """Whether the role reaches only what the caller reaches: by the same action, or by the one that gives it."""
        giver = who.scope(action)
        if giver.everything:
            return True
        below = await self._org.below(tx, unit)
        for grant in role.grants:
            reach = role.reach(grant)
            wanted = below if reach is Units.SUBTREE else {unit}
            for name in grant.names:
                bound = giver | who.scope(name)
                if not bound.everything and (reach is Units.ALL or not wanted <= bound.units):
                    return False
        return True


def is_same(who: Principal, name: str) -> bool:
    """Whether the caller is this person; a partner's system is nobody of the staff."""
    return who.actor == f"staff/{name}"
