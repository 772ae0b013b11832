"""The directory file: units, people and clients that are to exist. Read at start; the README shows an example.

Holds secrets: nothing of its content goes into an error text, only where it is wrong and how.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*$", max_length=64)]
Label = Annotated[str, Field(min_length=1, max_length=120)]
Hash = Annotated[str, Field(pattern=r"^\$argon2id\$", max_length=300)]
Secret = Annotated[SecretStr, Field(min_length=8, max_length=256)]


class BrokenDirectory(Exception):
    """The directory file cannot be used; the text says where and why, and quotes nothing."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Title(_Closed):
    zh: Label
    en: Label


class UnitEntry(_Closed):
    """An organisation unit; `parent` is none for the top."""

    id: Name
    title: Title
    parent: Name | None = None


class _Account(_Closed):
    name: Name
    full_name: Label
    roles: tuple[str, ...] = Field(min_length=1)
    unit: Name


class Person(_Account):
    """A member of staff, who signs in by password. Give `password`, or `password_hash` (argon2id, encoded)."""

    password: Secret | None = None
    password_hash: Hash | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.password is None) == (self.password_hash is None):
            raise ValueError("give either password or password_hash")
        return self


class Client(_Account):
    """A partner's system, which gets tokens by client credentials. Give `secret`, or `secret_hash`."""

    secret: Secret | None = None
    secret_hash: Hash | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.secret is None) == (self.secret_hash is None):
            raise ValueError("give either secret or secret_hash")
        return self


class DirectoryFile(_Closed):
    """The whole file; every unit that is named in it is in it."""

    units: tuple[UnitEntry, ...]
    people: tuple[Person, ...] = ()
    clients: tuple[Client, ...] = ()

    @property
    def accounts(self) -> tuple[Person | Client, ...]:
        return (*self.people, *self.clients)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        parents = {unit.id: unit.parent for unit in self.units}
        faults = [
            *(f"unit {name} stands twice" for name in _doubled(unit.id for unit in self.units)),
            *(f"name {name} stands twice" for name in _doubled(account.name for account in self.accounts)),
            *(
                f"unit {unit} is below an unknown unit"
                for unit, above in parents.items()
                if above not in {None, *parents}
            ),
            *(f"unit {unit} stands below itself" for unit in parents if _circles(unit, parents)),
            *(f"{account.name} is of no known unit" for account in self.accounts if account.unit not in parents),
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def units_from_the_top(self) -> Iterator[UnitEntry]:
        """Every unit after the one above it."""
        below: dict[str | None, list[UnitEntry]] = {}
        for unit in self.units:
            below.setdefault(unit.parent, []).append(unit)
        reached = list(below.get(None, ()))
        for unit in reached:
            reached.extend(below.get(unit.id, ()))
        yield from reached


def _doubled(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _circles(unit: str, parents: dict[str, str | None]) -> bool:
    seen = {unit}
    above = parents[unit]
    while above is not None and above not in seen:
        seen.add(above)
        above = parents.get(above)
    return above is not None


def read(path: Path) -> DirectoryFile:
    """The file's content. Raises: BrokenDirectory"""
    try:
        return DirectoryFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenDirectory(f"{path.name}: cannot be read ({type(error).__name__})") from None
    except yaml.YAMLError:
        raise BrokenDirectory(f"{path.name}: neither JSON nor YAML") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        lines = (f"  {'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in faults)
        raise BrokenDirectory("\n".join([f"{path.name}:", *lines])) from None
