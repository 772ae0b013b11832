"""Accounts as sign-in and tokens see them."""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How an account proves itself."""

    PERSON = "person"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Account:
    """A person or a partner system. `units`: the own unit and all below it, in alphabetical order."""

    name: str
    kind: Kind
    full_name: str
    roles: tuple[str, ...]
    unit: str
    units: tuple[str, ...]
    active: bool
    secret_hash: str = field(repr=False)
