"""Approvals: who has to agree before something takes effect, in which order, and until when.

What a step means for a matter at hand is decided by `shared.approvals`, for every service alike. That whoever proposes
does not approve stands with the action (`unless_did` of its resource). Requirements R7.2, R7.5, R1.5, R2.2.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.expressions import Schema, Type
from shared.regime.clock import Term
from shared.regime.definition import Definition, Flaw, Json, Library, Path, Sentence, Shape, Slug, Snake, Text, doubled
from shared.regime.field import FieldType
from shared.regime.resource import Action, Resource
from shared.regime.role import ActionName, Role
from shared.regime.vocabulary import TYPES, expression_flaws


class Mode(StrEnum):
    """How the steps go together: one of them is enough; all, in whatever order; all, one after the other."""

    ANY = "any"
    ALL = "all"
    SEQUENTIAL = "sequential"


class Step(Shape):
    """Agreement of `needed` people, each of whom holds one of `roles` where the matter belongs.

    Roles stand in order, the nearest first: those of one are asked where nobody holds the one before.
    `when`: an expression over the facts; the step is left out where it is false. What is not known leaves nothing out.
    """

    id: Snake
    label: Text
    roles: tuple[Slug, ...] = Field(min_length=1)
    needed: int = Field(default=1, ge=1, le=9)
    when: Sentence | None = None


class Agreed(Shape):
    """Somebody who agreed to a step of an example, in a role."""

    step: Snake
    by: Slug
    role: Slug


class ApprovalExample(Shape):
    """What has been agreed to, in this order, and which steps are open then; none are once it is approved.

    `absent`: roles that nobody holds. `refused` says that the last one may not agree.
    """

    facts: Mapping[Snake, Json] = {}
    agreed: tuple[Agreed, ...] = ()
    absent: frozenset[Slug] = frozenset()
    open: tuple[Snake, ...] = ()
    refused: bool = False


class Approval(Definition):
    """How a matter is approved. `action` is what everybody does who agrees; `term`: how long they have to do so."""

    kind_name: ClassVar[str] = "approval"

    action: ActionName
    facts: Mapping[Snake, FieldType] = Field(default={}, description="What `when` may ask about the matter")
    mode: Mode
    steps: tuple[Step, ...] = Field(min_length=1)
    term: Term | None = None
    examples: tuple[ApprovalExample, ...] = Field(min_length=2)

    @property
    def vocabulary(self) -> Schema:
        """The facts as expressions see them."""
        return Schema({name: TYPES[kind] for name, kind in self.facts.items()})

    def ends(self, begins: datetime) -> datetime | None:
        """The moment until which they have to agree; None: they may take their time."""
        return None if self.term is None else begins + self.term.span

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield an action that is not there or that the proposer may do, roles that do not grant it, bad conditions."""
        on = self.effective_from
        yield from doubled([step.id for step in self.steps], "steps", "id")
        action = self._action(library, on=on)
        if action is None:
            yield Flaw(("action",), f"no action {self.action}", "see the resource folder")
        elif not action.unless_did:
            hint = "say `unless_did` at the action: whoever proposes does not approve"
            yield Flaw(("action",), f"anybody may do {self.action}, also who proposed it", hint)
        if all(step.when is not None for step in self.steps):
            yield Flaw(("steps",), "each step has a condition", "let one have none: somebody has to agree in any case")
        if self.term is not None and not self.term.span:
            yield Flaw(("term",), "it is over as soon as it begins", "give days, hours, minutes, seconds")
        for position, step in enumerate(self.steps):
            path: Path = ("steps", position)
            for place, name in enumerate(step.roles):
                yield from _role_flaws(name, self.action, (*path, "roles", place), library, on=on)
            if step.when is not None:
                yield from expression_flaws(step.when, self.vocabulary, (*path, "when"), Type.BOOLEAN)
        yield from self._example_flaws()

    def _action(self, library: Library, *, on: date) -> Action | None:
        resource, _, verb = self.action.partition(".")
        declared = library.find(Resource, resource, on=on)
        return declared.actions.get(verb) if declared is not None else None

    def _example_flaws(self) -> Iterator[Flaw]:
        steps = {step.id for step in self.steps}
        for position, example in enumerate(self.examples):
            path: Path = ("examples", position)
            for name in sorted(example.facts.keys() - self.facts.keys()):
                yield Flaw((*path, "facts", name), f"no fact {name!r}", "name one of `facts`")
            for name in sorted({*example.open, *(each.step for each in example.agreed)} - steps):
                yield Flaw(path, f"no step {name!r}", "name one of `steps`")


def _role_flaws(name: str, action: str, path: Path, library: Library, *, on: date) -> Iterator[Flaw]:
    role = library.find(Role, name, on=on)
    if role is None:
        yield Flaw(path, f"no role {name!r}", "see the role folder")
    elif action not in role.actions:
        yield Flaw(path, f"{name} does not grant {action}", "grant it, or take the role away")
