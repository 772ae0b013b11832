"""The directory file: units, people and clients that are to exist. Read at start; docs/directory.md shows an example.

Holds secrets: nothing of its content goes into an error text, only where it is wrong and how.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import yaml
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from shared.regime import Secrecy
from shared.yamls import plain

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*$", max_length=64)]
Label = Annotated[str, Field(min_length=1, max_length=120)]
Hash = Annotated[str, Field(pattern=r"^\$argon2id\$", max_length=300)]
Secret = Annotated[SecretStr, Field(min_length=8, max_length=256)]
Uri = Annotated[str, Field(pattern=r"^https?://[^\s#]+$", max_length=500)]


class BrokenDirectory(Exception):
    """The directory file cannot be used; the text says where and why, and quotes nothing."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Title(_Closed):
    zh: Label
    en: Label


class UnitEntry(_Closed):
    """An organisation unit; `parent` is none for the top. `kind`: a code of the list unit_kind."""

    id: Name
    title: Title
    parent: Name | None = None
    kind: str | None = None


class _Span(_Closed):
    from_on: date | None = None
    until_on: date | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.from_on is not None and self.until_on is not None and self.until_on < self.from_on:
            raise ValueError("until_on is before from_on")
        return self


class RoleEntry(_Span):
    """A role over a unit: the person's own if none is named, from the first day on if no day is."""

    role: str
    unit: Name | None = None


class DeputyEntry(_Span):
    """Who stands in for the person, up to a last day; from the day on which the file is loaded, if it says none."""

    deputy: Name
    until_on: date


def _role(entry: object) -> object:
    return {"role": entry} if isinstance(entry, str) else entry


class Person(_Closed):
    """A member of staff, who signs in by password. Give `password`, or `password_hash` (argon2id, encoded).

    `first_day`: the day on which the file is loaded, if it says none.
    """

    name: Name
    full_name: Label
    roles: tuple[Annotated[RoleEntry, BeforeValidator(_role)], ...] = Field(min_length=1)
    unit: Name
    title: Label | None = None
    clearance: Secrecy | None = None
    first_day: date | None = None
    deputies: tuple[DeputyEntry, ...] = ()
    password: Secret | None = None
    password_hash: Hash | None = None

    kind: ClassVar = "person"

    @property
    def units(self) -> tuple[str, ...]:
        """All units that the entry names."""
        return (self.unit, *(each.unit for each in self.roles if each.unit is not None))

    @property
    def role_names(self) -> tuple[str, ...]:
        return tuple(each.role for each in self.roles)

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.password is None) == (self.password_hash is None):
            raise ValueError("give either password or password_hash")
        return self


class Client(_Closed):
    """A system: of a partner, of this suite (service), or an application that people sign in to (app).

    Partners and services get tokens by client credentials: give `secret`, or `secret_hash`. An app keeps no secret;
    give its `redirect_uris`, and `sign_out_uris` for where people go after signing out.
    """

    name: Name
    full_name: Label = Field(validation_alias=AliasChoices("full_name", "title"))
    kind: Literal["app", "partner", "service"] = "partner"
    roles: tuple[str, ...] = ()
    unit: Name | None = None
    secret: Secret | None = None
    secret_hash: Hash | None = None
    redirect_uris: tuple[Uri, ...] = ()
    sign_out_uris: tuple[Uri, ...] = ()

    @property
    def units(self) -> tuple[str, ...]:
        return () if self.unit is None else (self.unit,)

    @property
    def role_names(self) -> tuple[str, ...]:
        return self.roles

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        given = [each for each in (self.secret, self.secret_hash) if each is not None]
        if self.kind == "app" and (given or not self.redirect_uris):
            raise ValueError("an app has redirect_uris and no secret")
        if self.kind != "app" and len(given) != 1:
            raise ValueError("give either secret or secret_hash")
        if self.kind != "app" and (self.redirect_uris or self.sign_out_uris):
            raise ValueError("only an app has redirect_uris and sign_out_uris")
        if self.kind == "partner" and (self.unit is None or not self.roles):
            raise ValueError("a partner has a unit and roles")
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
            *(
                f"{person.name} has an unknown deputy"
                for person in self.people
                if {each.deputy for each in person.deputies} - {each.name for each in self.people if each != person}
            ),
            *(f"{account.name} is of no known unit" for account in self.accounts if {*account.units} - parents.keys()),
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
        return DirectoryFile.model_validate(plain(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenDirectory(f"{path.name}: cannot be read ({type(error).__name__})") from None
    except yaml.YAMLError:
        raise BrokenDirectory(f"{path.name}: neither JSON nor YAML") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        lines = (f"  {'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in faults)
        raise BrokenDirectory("\n".join([f"{path.name}:", *lines])) from None
