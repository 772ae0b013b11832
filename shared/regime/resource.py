"""Resources: what there is to act upon, and what can be done with it. Read by shared.auth and by the roles.

A role grants actions of resources; a route declares the one that it needs. What holds for an action whoever does it (a
recent sign-in, other people's hands before it, a record of who read) is said here, once. Requirement R2.2.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Flaw, Library, Secrecy, Shape, Slug, Text

Verb = Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)*$", max_length=60)]


class Action(Shape):
    """`recent`: needs a sign-in of late. `unless_did`: not for whoever did one of these on the same matter.

    `whole`: what it is about belongs to no unit, so that only a role over all units may be granted it.
    `by_keeper`: it sets fields, each only by the role that keeps it or one that stands above that (R1.1).
    """

    title: Text
    recent: bool = False
    unless_did: frozenset[Verb] = frozenset()
    whole: bool = False
    by_keeper: bool = False


class ActionExample(Shape):
    """An action and whether it can be done with the resource at all."""

    action: Verb
    possible: bool


class Resource(Definition):
    """`service` keeps it; the full name of an action is "<resource>.<action>"."""

    kind_name: ClassVar[str] = "resource"

    service: Slug
    recorded_from: Secrecy | None = Field(
        default=None, description="The level from which on it is recorded that somebody read fields of it"
    )
    granted_from: Secrecy | None = Field(
        default=None, description="The level from which on fields of it leave in bulk by a grant only"
    )
    actions: Mapping[Verb, Action] = Field(min_length=1)
    examples: tuple[ActionExample, ...] = Field(min_length=2)

    def records(self, level: Secrecy) -> bool:
        """Whether it is recorded that somebody read a field of this level."""
        return self.recorded_from is not None and level.covers(self.recorded_from)

    def needs_grant(self, level: Secrecy) -> bool:
        """Whether fields of this level leave in bulk by a grant only."""
        return self.granted_from is not None and level.covers(self.granted_from)

    def flaws(self, library: Library) -> Iterator[Flaw]:  # noqa: ARG002 - a resource refers to nothing outside
        """Yield separations from actions that are not there, and examples that do not come true."""
        for name, action in self.actions.items():
            for other in sorted(action.unless_did - self.actions.keys()):
                yield Flaw(("actions", name, "unless_did"), f"no action {other!r}", "name one of `actions`")
        for position, example in enumerate(self.examples):
            if example.possible is not (example.action in self.actions):
                yield Flaw(("examples", position), f"{example.action}: not so", "mend the actions or the example")
