"""Roles: what a member of staff or a partner may do, over whose units, up to which secrecy. Read by shared.auth."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Secrecy, Shape

Action = Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+$", max_length=80)]


class Units(StrEnum):
    """Whose records a role reaches: assigned to the person, of the own unit, of it and all below it, or all."""

    ASSIGNED = "assigned"
    OWN = "own"
    SUBTREE = "subtree"
    ALL = "all"


class RoleExample(Shape):
    """An action and whether the role allows it."""

    action: Action
    allowed: bool


class Role(Definition):
    """A set of actions."""

    kind_name: ClassVar[str] = "role"

    units: Units
    clearance: Secrecy
    actions: frozenset[Action] = Field(min_length=1)
    examples: tuple[RoleExample, ...] = Field(min_length=2)
