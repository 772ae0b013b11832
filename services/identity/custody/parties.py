"""Who can be in a change-over, and who may take which step of it. Called by the services of this feature.

Whoever proposes names all three, so what the successor may do comes with the role that they are to take over; they need
hold nothing before. The leaver and the supervisor act under what they hold. Requirement R2.2.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from services.identity.custody import errors
from services.identity.custody.rules import ACTIONS, PROPOSE, Change, Part, Wish
from services.identity.org.service import Org
from services.identity.staff.grants import Grants
from services.identity.staff.rules import Person
from services.identity.staff.service import Staff
from shared.auth import Authority, Holding, Matter, Principal, decide, sign_in_too_old
from shared.auth.roster import holdings
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Fault
from shared.regime import Regimes, Role, Secrecy


class Parties:
    """People, roles and units of change-overs."""

    def __init__(self, org: Org, staff: Staff, grants: Grants, regimes: Regimes) -> None:
        self._org = org
        self._staff = staff
        self._grants = grants
        self._regimes = regimes
        self._authority = Authority(regimes)

    def require(self, who: Principal, change: Change, part: Part, now: datetime) -> None:
        """Whether the caller may take this part's step. Raises: Forbidden, Unauthenticated (sign_in_too_old)"""
        action, authority = ACTIONS[part], self._authority.on(day_of(now))
        if part is Part.SUCCESSOR:
            coming = [Holding(change.wish.role, change.wish.unit)]
            who = replace(who, powers=authority.powers(who.name, coming, lambda unit: frozenset({unit})))
        matter = Matter(change.wish.unit, is_record=True, done=change.done)
        decision = decide(authority, who, action, matter, now.timestamp())
        if decision.code == "sign_in_too_old":
            raise sign_in_too_old(action, authority.recency_s())
        if decision.code == "same_person":
            raise errors.same_person(action)
        if not decision.allowed:
            raise errors.not_allowed(action)

    async def faults(
        self, tx: Transaction, wish: Wish, proposer: str, reaches: Callable[[str], bool], now: datetime
    ) -> list[Fault]:
        """Everything that keeps this role from going from one to the other; `reaches` says whose units are in sight."""
        today, rows = day_of(now), await self._grants.holders(tx, wish.role, wish.unit)
        known = await self._staff.known(tx, wish.parties.values())
        people = {name: person for name, person in known.items() if reaches(person.unit)}
        return [
            *self._role_faults(wish.role, today),
            *await self._unit_faults(tx, wish.unit),
            *_people_faults(wish, people, today),
            *self._separation_faults(wish, proposer, today),
            *_holder_faults(wish, rows, today),
            *await self._deputy_faults(tx, wish, today),
            *await self._supervisor_faults(tx, wish, today),
        ]

    def _role_faults(self, role: str, today: date) -> Iterator[Fault]:
        kept = [each.id for each in self._regimes.all(Role, on=today) if each.custody]
        if role not in kept:
            yield Fault("/role", "not_in_custody", role, sorted(kept))

    async def _unit_faults(self, tx: Transaction, unit: str) -> list[Fault]:
        found = (await self._org.known(tx, [unit])).get(unit)
        if found is None:
            return [Fault("/unit", "unknown", unit, "the id of a unit")]
        return [Fault("/unit", "closed", unit, "an open unit")] if found.is_closed else []

    def _separation_faults(self, wish: Wish, proposer: str, today: date) -> Iterator[Fault]:
        """Steps that the declared separation of duties keeps from whoever proposes."""
        for part, name in wish.parties.items():
            rule = self._authority.on(today).action(ACTIONS[part])
            is_barred = rule is not None and PROPOSE.partition(".")[2] in rule.unless_did
            if is_barred and proposer == f"staff/{name}":
                yield Fault(f"/{part}", "proposes_it", name, "somebody who does not propose it")

    async def _deputy_faults(self, tx: Transaction, wish: Wish, today: date) -> list[Fault]:
        """A deputy would keep the role as well, and nobody has handed it to them."""
        if await self._grants.lends(tx, wish.successor, today):
            return [Fault("/successor", "has_deputies", wish.successor, "a person in whose place nobody stands in")]
        return []

    async def _supervisor_faults(self, tx: Transaction, wish: Wish, today: date) -> list[Fault]:
        """Before their eyes a role is given, so they are cleared for what it clears, as whoever gives one is."""
        role = self._regimes.find(Role, wish.role, on=today)
        level = Secrecy.PUBLIC if role is None else role.clearance
        standing = await self._staff.standing(tx, wish.supervisor, today)
        held = [] if standing is None else holdings(standing, today)
        cap = Secrecy(standing.clearance) if standing is not None and standing.clearance else None
        below = {each.unit: frozenset(await self._org.below(tx, each.unit)) for each in held}
        powers = self._authority.on(today).powers(wish.supervisor, held, below.__getitem__, cap)
        action = ACTIONS[Part.SUPERVISOR]
        if any(power.scope.reaches(wish.unit) and power.shows(level) for power in powers.get(action, ())):
            return []
        expected = f"a person whose role grants {action} over this unit, cleared for {level}"
        return [Fault("/supervisor", "may_not_supervise", wish.supervisor, expected)]


def _people_faults(wish: Wish, people: dict[str, Person], today: date) -> Iterator[Fault]:
    seen = set[str]()
    for part, name in wish.parties.items():
        person = people.get(name)
        if name in seen:
            yield Fault(f"/{part}", "same_person", name, "three different people")
        elif person is None:
            yield Fault(f"/{part}", "unknown", name, "the name of a person within your reach")
        elif not person.first_day <= today <= (person.last_day or today):
            yield Fault(f"/{part}", "not_in_service", name, "a person who works here today")
        seen.add(name)


def _holder_faults(wish: Wish, rows: Sequence[Record], today: date) -> Iterator[Fault]:
    lasting = [row for row in rows if (row["until_on"] or today) >= today]
    if wish.leaver is None and lasting:
        yield Fault("/leaver", "missing", None, "the person who keeps the role")
    if wish.leaver is not None and holding_of(rows, wish.leaver, today) is None:
        yield Fault("/leaver", "holds_it_not", wish.leaver, "the person who keeps the role, or nobody")
    if wish.leaver is not None and any(row["staff"] == wish.leaver and row["from_on"] > today for row in lasting):
        yield Fault("/leaver", "holds_it_again", wish.leaver, "a person to whom the role is not given anew later on")
    if any(row["staff"] == wish.successor for row in lasting):
        yield Fault("/successor", "holds_it", wish.successor, "a person who does not hold the role")


def holding_of(rows: Sequence[Record], name: str | None, today: date) -> Record | None:
    """By which of the grants of a role a person holds it on a day."""
    mine = (row for row in rows if row["staff"] == name and row["from_on"] <= today <= (row["until_on"] or today))
    return next(mine, None)
