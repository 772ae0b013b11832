"""Roles: what a member of staff or a partner may do, over whose units, up to which secrecy. Read by shared.auth.

A role is a list of grants, each over one resource; what no grant names is refused. Requirements R2.2, R5.5.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.codelist import Codelist
from shared.regime.definition import Definition, Flaw, Library, Path, Secrecy, Shape, Slug, Snake
from shared.regime.resource import Resource, Verb

PURPOSES = "purpose"
"""The code list of what personal data are read for."""
FIELD_CLASSES = "field_class"
"""The code list of field classes: what kind of thing a field tells of a customer."""
KEPT = ("custody.hand_over", "custody.take_over")
"""What a role that is kept in custody lets its custodian do, so that it can go from one to the next."""

ActionName = Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+$", max_length=80)]


class Units(StrEnum):
    """Whose records a grant reaches: assigned to the person, of the own unit, of it and all below it, or all."""

    ASSIGNED = "assigned"
    OWN = "own"
    SUBTREE = "subtree"
    ALL = "all"


class Holder(StrEnum):
    """Who may hold a role: a person, a partner's system, a service of this suite."""

    PERSON = "person"
    PARTNER = "partner"
    SERVICE = "service"


class Grant(Shape):
    """Actions on one resource. `units`: the role's own unless said; `fields`: classes of fields, all unless said.

    `purpose`: what personal data are read for under it (R15.1); it stands in the record of each reading.
    """

    resource: Snake
    actions: tuple[Verb, ...] = Field(min_length=1)
    units: Units | None = None
    fields: frozenset[Snake] | None = None
    purpose: Snake | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Full names of the actions."""
        return tuple(f"{self.resource}.{action}" for action in self.actions)

    def shows(self, field_class: str) -> bool:
        """Whether fields of a class are within the grant."""
        return self.fields is None or field_class in self.fields


class RoleExample(Shape):
    """An action, perhaps on a field of a class and a level, and whether the role allows it."""

    action: ActionName
    field_class: Snake | None = None
    secrecy: Secrecy | None = None
    allowed: bool


class Role(Definition):
    """A set of grants. `clearance` is the highest level that the role may read.

    `custody`: over each unit one named person holds it, and hands it over under supervision (R4.5).
    `above`: the roles that it stands above: it may set the fields that they keep, and those of the roles below them.
    """

    kind_name: ClassVar[str] = "role"

    units: Units
    clearance: Secrecy
    held_by: Holder = Holder.PERSON
    custody: bool = False
    above: frozenset[Slug] = frozenset()
    grants: tuple[Grant, ...] = Field(min_length=1)
    examples: tuple[RoleExample, ...] = Field(min_length=2)

    @cached_property
    def actions(self) -> frozenset[str]:
        """Full names of all actions that the role grants."""
        return frozenset(name for grant in self.grants for name in grant.names)

    def reach(self, grant: Grant) -> Units:
        """Whose records one of the role's grants reaches."""
        return grant.units or self.units

    def allows(self, example: RoleExample) -> bool:
        """Whether the role lets somebody do what an example says, somewhere."""
        cleared = example.secrecy is None or self.clearance.covers(example.secrecy)
        granting = (grant for grant in self.grants if example.action in grant.names)
        return cleared and any(example.field_class is None or grant.shows(example.field_class) for grant in granting)

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield what is granted without being there, examples that do not come true, a custody that cannot change."""
        on = self.effective_from
        for position, grant in enumerate(self.grants):
            path: Path = ("grants", position)
            resource = library.find(Resource, grant.resource, on=on)
            known = resource.actions if resource is not None else {}
            for action in grant.actions:
                if action not in known:
                    yield Flaw(path, f"no action {grant.resource}.{action}", "see the resource folder")
                elif known[action].whole and self.reach(grant) is not Units.ALL:
                    yield Flaw(path, f"{grant.resource}.{action} knows no units", "grant it with `units: all`")
            yield from _code_flaws(library, FIELD_CLASSES, grant.fields or (), (*path, "fields"), on)
            purpose = () if grant.purpose is None else (grant.purpose,)
            yield from _code_flaws(library, PURPOSES, purpose, (*path, "purpose"), on)
        for other in sorted(self.above):
            below = roles_below(library, other, on=on)
            if not below or self.id in below:
                yield Flaw(("above",), f"{other} is no role below it", "name roles that stand below this one")
        if self.custody and (missing := sorted({*KEPT} - self.actions)):
            yield Flaw(("custody",), f"kept in custody without {', '.join(missing)}", "grant it: custodians change")
        for position, example in enumerate(self.examples):
            if self.allows(example) is not example.allowed:
                yield Flaw(("examples", position), f"{example.action}: not so", "mend the grants or the example")


def roles_below(library: Library, role_id: str, *, on: date) -> frozenset[str]:
    """A role and all that stand below it, at any depth; nothing, if there is no such role."""
    found: set[str] = set()
    ahead = [role_id]
    while ahead:
        role = library.find(Role, ahead.pop(), on=on)
        if role is not None and role.id not in found:
            found.add(role.id)
            ahead.extend(role.above)
    return frozenset(found)


def _code_flaws(library: Library, list_id: str, codes: Iterable[str], path: Path, on: date) -> Iterator[Flaw]:
    listed = library.find(Codelist, list_id, on=on)
    for code in sorted(codes):
        if listed is None or code not in listed.codes:
            yield Flaw(path, f"no {list_id.replace('_', ' ')} {code!r}", f"see the code list {list_id}")
