"""Who may agree to a matter now, and whether it is approved: declared approvals (regime kind `approval`), applied.

Whatever needs approval (registrations, credit terms, grades set by hand, merges) keeps its own matters and what was
agreed to, and asks here. `Procedure` is pure; `Approvers` knows from the directory who is there to be asked:

    procedure = Procedure(declared, facts)
    step = procedure.step_for(who.actor, roles_in(sight), given, approvers.others(declared.action, unit, but, now))
    procedure.is_complete([*given, Given(step.id, who.actor)])
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.auth import Authenticator, Principal, Sight
from shared.auth.roster import holdings
from shared.clock import day_of
from shared.errors import Conflict, Forbidden
from shared.expressions import Context
from shared.regime import Approval, Mode, Step, load_value
from shared.regime.vocabulary import compiled

IsThere = Callable[[str], bool | None]
"""Whether somebody is there who holds a role and could agree; None if nobody can tell."""


@dataclass(frozen=True, slots=True)
class Given:
    """An agreement: to which step, by whom (an actor)."""

    step: str
    by: str


class Procedure:
    """An approval for one matter: the steps that its facts call for. `facts` are stored values by name."""

    def __init__(self, declared: Approval, facts: Mapping[str, Any]) -> None:
        self.declared = declared
        known = {name: kind for name, kind in declared.facts.items() if facts.get(name) is not None}
        row = {name: load_value(kind, facts[name]) for name, kind in known.items()}
        self.steps = tuple(step for step in declared.steps if _is_called_for(declared, step, row))

    def open(self, given: Sequence[Given]) -> tuple[Step, ...]:
        """The steps that can be agreed to now, in their order."""
        if self.is_complete(given):
            return ()
        waiting = tuple(step for step in self.steps if _is_open(step, given))
        return waiting[:1] if self.declared.mode is Mode.SEQUENTIAL else waiting

    def is_complete(self, given: Sequence[Given]) -> bool:
        """Whether all have agreed who have to."""
        done = [not _is_open(step, given) for step in self.steps]
        return any(done) if self.declared.mode is Mode.ANY else all(done)

    def step_for(self, actor: str, roles: Collection[str], given: Sequence[Given], is_there: IsThere) -> Step:
        """The open step that somebody with these roles agrees to.

        Raises: Conflict (approved_already), Forbidden (same_person, not_in_charge)
        """
        waiting = self.open(given)
        if not waiting:
            raise Conflict("approved_already", "All who have to agree have done so.")
        if any(each.by == actor for each in given):
            raise same_person(self.declared.action)
        asked: set[str] = set()
        for step in waiting:
            roles_asked = in_charge(step, is_there)
            if not roles_asked.isdisjoint(roles):
                return step
            asked |= roles_asked
        detail = f"It is for others to agree now: {', '.join(sorted(asked))}."
        raise Forbidden("not_in_charge", detail, members={"action": self.declared.action, "roles": sorted(asked)})


def in_charge(step: Step, is_there: IsThere) -> frozenset[str]:
    """The roles that are asked: the nearest, and each next one as long as nobody is known to hold those before it."""
    asked: set[str] = set()
    for role in step.roles:
        asked.add(role)
        if is_there(role):
            break
    return frozenset(asked)


def roles_in(sight: Sight) -> frozenset[str]:
    """The roles under which somebody does to a record what the sight is for."""
    return frozenset(power.role for power in sight.powers)


def same_person(action: str) -> Forbidden:
    """Whoever took another step of a matter does not agree to it."""
    detail = f"You took another step of this matter; somebody else has to do {action}."
    return Forbidden("same_person", detail, members={"action": action})


def _is_open(step: Step, given: Sequence[Given]) -> bool:
    return len({each.by for each in given if each.step == step.id}) < step.needed


def _is_called_for(declared: Approval, step: Step, row: Mapping[str, Any]) -> bool:
    """Unless its condition is known to be false."""
    return step.when is None or compiled(step.when, declared.vocabulary).evaluate(row, Context()) is not False


class Approvers:
    """Who is there to agree, as the directory says; without one nobody can tell, and whoever holds a role may agree."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def require_other(self, who: Principal, action: str, did: Collection[tuple[str, str]], now: datetime) -> None:
        """Whether an action is not barred to somebody by what they did in the same matter (actor, action).

        Raises: Forbidden (same_person)
        """
        rule = self._authenticator.authority.on(day_of(now)).action(action)
        resource = action.partition(".")[0]
        barring = {f"{resource}.{step}" for step in rule.unless_did} if rule is not None else set()
        if any(actor == who.actor and what in barring for actor, what in did):
            raise same_person(action)

    def others(self, action: str, unit: str, but: Collection[str], now: datetime) -> IsThere:
        """Whether somebody holds a role under which they may do `action` in a unit; nobody of `but` (actors) counts."""
        if not self._authenticator.roster.people:
            return lambda _role: None
        return lambda role: any(each.actor not in but for each in self._holders(role, action, unit, now))

    def desk(self, step: Step, action: str, unit: str, but: Collection[str], now: datetime) -> str | None:
        """The unit of whoever is asked about a step, the nearest if there are several; None if nobody can tell."""
        asked = in_charge(step, self.others(action, unit, but, now))
        found = [each for role in step.roles if role in asked for each in self._holders(role, action, unit, now)]
        near = [each for each in found if each.actor not in but and each.unit]
        return min(near, key=lambda each: (self._distance(each.unit, unit), each.name)).unit if near else None

    def _distance(self, above: str, unit: str) -> tuple[bool, int]:
        below = self._authenticator.roster.below(above)
        return unit not in below, len(below)

    def _holders(self, role: str, action: str, unit: str, now: datetime) -> Iterator[Principal]:
        today = day_of(now)
        for name, standing in self._authenticator.roster.people.items():
            if any(each.role == role for each in holdings(standing, today)):
                who = self._authenticator.stand_in(name, now)
                if who is not None and role in roles_in(who.sight(action, unit)):
                    yield who
