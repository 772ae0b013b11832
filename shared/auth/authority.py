"""What a caller may do: the declared roles, applied to who holds them where. Pure; the one place that decides.

A principal holds powers by action. A power reaches some records (`scope`) and shows some fields of them (clearance and
field classes); powers never mix, so that a high clearance in one unit shows nothing in another (R2.2, R5.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from shared.auth.terms import ACCESS
from shared.regime import Clock, Regimes, Resource, Role, Secrecy, Units
from shared.regime.resource import Action
from shared.regime.role import roles_below

GENERAL = "general"
"""The field class of whatever is of no special class."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records an action reaches: all, those of some units, those assigned to somebody by name."""

    everything: bool = False
    units: frozenset[str] = frozenset()
    assigned_to: frozenset[str] = frozenset()

    def __or__(self, other: Scope) -> Scope:
        if self.units >= other.units:
            units = self.units  # as it is: it may be large, and hold much that is derived from it
        else:
            units = other.units if other.units >= self.units else self.units | other.units
        return Scope(self.everything or other.everything, units, self.assigned_to | other.assigned_to)

    def __and__(self, other: Scope) -> Scope:
        """What lies in both; a person's own files and whole units meet nowhere that could be told by a scope."""
        if self.everything or other.everything:
            return other if self.everything else self
        return Scope(units=self.units & other.units, assigned_to=self.assigned_to & other.assigned_to)

    def __bool__(self) -> bool:
        return self.everything or bool(self.units) or bool(self.assigned_to)

    def reaches(self, unit: str | None, assignee: str | None = None) -> bool:
        """Whether a record of this unit, assigned to this person, is within reach."""
        return self.everything or unit in self.units or assignee in self.assigned_to

    def only(self, units: frozenset[str]) -> Scope:
        """The part of it that lies in some units."""
        return Scope(units=units if self.everything else self.units & units)


@dataclass(frozen=True, slots=True)
class Power:
    """What one role gives for one action. `fields`: the classes of fields that it shows; None for all.

    `purpose`: what personal data are read for under it (R15.1). `keeps`: the roles whose fields it sets; None for all.
    """

    role: str
    scope: Scope
    clearance: Secrecy
    fields: frozenset[str] | None = None
    purpose: str | None = None
    keeps: frozenset[str] | None = None

    def shows(self, level: Secrecy, field_class: str = GENERAL) -> bool:
        """Whether it shows a field of this level and class."""
        return self.clearance.covers(level) and (self.fields is None or field_class in self.fields)

    def sets(self, keeper: str | None) -> bool:
        """Whether it sets a field that this role keeps; None: a field that nobody in particular keeps."""
        return self.keeps is None or keeper is None or keeper in self.keeps


@dataclass(frozen=True, slots=True)
class Sight:
    """The powers that reach one record: what of it may be seen."""

    powers: tuple[Power, ...]

    def __bool__(self) -> bool:
        return bool(self.powers)

    def shows(self, level: Secrecy, field_class: str = GENERAL) -> bool:
        """Whether a field of the record, of this level and class, may be seen."""
        return any(power.shows(level, field_class) for power in self.powers)

    def sets(self, level: Secrecy, field_class: str, keeper: str | None) -> bool:
        """Whether such a field of the record may be seen, and set where this role keeps it."""
        return any(power.shows(level, field_class) and power.sets(keeper) for power in self.powers)

    def purpose(self, fields: Iterable[tuple[Secrecy, str]]) -> str | None:
        """What these fields are read for: as the first power says that shows one of them."""
        shown = (power.purpose for each in fields for power in self.powers if power.shows(*each))
        return next((purpose for purpose in shown if purpose is not None), None)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller: `name` as in the directory, `actor` as events name it, powers by action.

    `signed_in_at` (POSIX seconds): when they last proved who they are; never, for a key. `key`: the id of the key that
    was used. `limits` narrow what it may be used for, by kind of thing ("report"); what is not in it is not narrowed.
    `rate`: requests a minute that they may make; None for as many as they like.
    """

    name: str
    actor: str
    unit: str
    roles: tuple[str, ...]
    powers: Mapping[str, tuple[Power, ...]]
    expires_at: float
    token: str = field(repr=False)
    signed_in_at: float | None = None
    session: str | None = None
    limits: Mapping[str, frozenset[str]] = field(default_factory=dict)
    key: str | None = None
    rate: int | None = None

    def may(self, action: str) -> bool:
        """Whether any role grants the action."""
        return action in self.powers

    def scope(self, action: str, fields: Iterable[tuple[Secrecy, str]] = ()) -> Scope:
        """Where the action reaches with all of these fields (level and class) in sight; nowhere if it is not granted.

        A list that filters or sorts by a field is read within this scope, so that no answer tells of a hidden value.
        """
        asked, found = tuple(fields), Scope()
        for power in self.powers.get(action, ()):
            if all(power.shows(*each) for each in asked):
                found = found | power.scope
        return found

    def sight(self, action: str, unit: str | None, assignee: str | None = None) -> Sight:
        """What the action shows of a record of this unit, assigned to this person."""
        powers = self.powers.get(action, ())
        return Sight(tuple(power for power in powers if power.scope.reaches(unit, assignee)))

    def clears(self, action: str, level: Secrecy, field_class: str = GENERAL) -> bool:
        """Whether the action shows such a field of any record; for what belongs to no unit."""
        return any(power.shows(level, field_class) for power in self.powers.get(action, ()))

    def is_allowed(self, what: str, name: str) -> bool:
        """Whether the key that is used here is for this one ("report" and the id of a type)."""
        return what not in self.limits or name in self.limits[what]

    def narrowed(self, units: frozenset[str] | None, limits: Mapping[str, frozenset[str]]) -> Principal:
        """The same caller with a key that is for some units and things only."""
        if units is None:
            return replace(self, limits=limits)
        powers = {
            action: tuple(replace(power, scope=power.scope.only(units)) for power in held)
            for action, held in self.powers.items()
        }
        return replace(self, powers=powers, limits=limits)


@dataclass(frozen=True, slots=True)
class Holding:
    """A role over a unit, in force today; perhaps in the place of somebody absent.

    It then reaches that person's files, and clears no more than their own `clearance`.
    """

    role: str
    unit: str
    deputy_for: str | None = None
    clearance: Secrecy | None = None


class Authority:
    """The declared roles and resources, as they are in force on a day."""

    def __init__(self, regimes: Regimes) -> None:
        self._regimes = regimes
        self._day: date | None = None
        self._actions: Mapping[str, Action] = {}
        self._roles: Mapping[str, Role] = {}
        self._below: Mapping[str, frozenset[str]] = {}

    def on(self, day: date) -> Authority:
        """Itself, turned to a day."""
        if day != self._day:
            resources = self._regimes.all(Resource, on=day)
            self._actions = {f"{each.id}.{name}": act for each in resources for name, act in each.actions.items()}
            self._roles = {role.id: role for role in self._regimes.all(Role, on=day)}
            self._below = {each: roles_below(self._regimes, each, on=day) for each in self._roles}
            self._day = day
        return self

    def action(self, name: str) -> Action | None:
        """What holds for an action whoever does it."""
        return self._actions.get(name)

    def recency_s(self) -> float:
        """How long a sign-in is recent, in seconds."""
        assert self._day is not None
        return self._regimes.get(Clock, ACCESS, on=self._day).term("step_up").total_seconds()

    def requests_a_minute(self) -> int:
        """How many a program may make that has no figure of its own."""
        assert self._day is not None
        return self._regimes.get(Clock, ACCESS, on=self._day).count("requests_a_minute")

    def powers(
        self,
        name: str,
        holdings: Iterable[Holding],
        below: Callable[[str], frozenset[str]],
        clearance: Secrecy | None = None,
    ) -> dict[str, tuple[Power, ...]]:
        """The powers of whoever holds these roles, by action.

        `below` gives a unit with all units under it. A person's own `clearance` caps what their roles clear, as that of
        an absent person caps what is held in their place. Roles that are not declared grant nothing, nor to a deputy
        those that are kept in custody (R4.5).
        """
        found: dict[str, list[Power]] = {}
        scopes: dict[tuple[Units, str, str], Scope] = {}
        for holding in dict.fromkeys(holdings):
            role = self._roles.get(holding.role)
            if role is None or (role.custody and holding.deputy_for is not None):
                continue
            cleared = _capped(role.clearance, clearance, holding.clearance)
            for grant in role.grants:
                reach = role.reach(grant), holding.unit, holding.deputy_for or name
                scope = scopes.get(reach)
                if scope is None:
                    scope = scopes[reach] = _scope(*reach, below)
                power = Power(role.id, scope, cleared, grant.fields, grant.purpose)
                keeping = replace(power, keeps=self._below[role.id])
                for action in grant.names:
                    rule = self._actions.get(action)
                    found.setdefault(action, []).append(keeping if rule is not None and rule.by_keeper else power)
        return {action: tuple(powers) for action, powers in found.items()}


def _capped(level: Secrecy, *caps: Secrecy | None) -> Secrecy:
    """The level, or the lowest of the caps that are below it."""
    for cap in caps:
        if cap is not None and not cap.covers(level):
            level = cap
    return level


def _scope(units: Units, unit: str, name: str, below: Callable[[str], frozenset[str]]) -> Scope:
    match units:
        case Units.ALL:
            return Scope(everything=True)
        case Units.SUBTREE:
            return Scope(units=below(unit))
        case Units.OWN:
            return Scope(units=frozenset({unit}))
        case Units.ASSIGNED:
            return Scope(assigned_to=frozenset({name}))
