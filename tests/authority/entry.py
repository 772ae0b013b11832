"""How each operation is called so that it harms nobody: `entries/<service>.yaml`, explained in the README."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.authority.records import OfUnit
from tests.authority.stage import PLACES

EVERY_SERVICE = "every_service"
"""The file of the operations that each service has."""
EMPTY = "empty"
_FOLDER = Path(__file__).with_name("entries")


@dataclass(frozen=True)
class Entry:
    """One call, and what its refusals look like. A text that begins with `$` names a record (`records`)."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content: str | None = None
    files: Mapping[str, str] | str | None = None
    also: tuple[str, ...] = ()
    """Codes of refusals that only those meet who may: there was nothing to do, or it was done already."""
    beyond: str = "404 not_found"
    """What is said of a record out of reach; `empty`: a list without items."""
    mine: str = ""
    """What is said to a person of whom the record is themself, if that is to be asked."""
    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Further members of path or body (`values.photo`, `rows.0.id`) that name what belongs to a unit: `put` there,
    `refused` if out of `reach`, which is the entry's unless said otherwise."""
    reach: str = "role"
    """Whose records: as the `role` says; `any`; of one's `own` unit, whatever the role; or `everything`: only for roles
    that reach all."""
    by: str = ""
    """The action whose reach decides, where the route itself lets everybody in who is signed in."""
    shows: str = ""
    """The member of each item of a list that names its unit."""
    whole: bool = False
    """The list shows every unit within reach."""
    stream: bool = False
    peer: bool = False
    """Only services ask, with a token of their own beside the person's."""

    @cached_property
    def records(self) -> tuple[str, ...]:
        """The places whose records the call is about in turn; "" for no particular one, such as a whole list."""
        if not is_of_unit([self.path, self.query, self.headers, self.body, self.content, self.files]):
            return ("",)
        return (*PLACES, "") if self.shows else PLACES


def is_of_unit(template: Any) -> bool:
    """Whether a part of a call names something that belongs to a unit."""
    match template:
        case str():
            return template.startswith("$") and hasattr(OfUnit, template[1:])
        case Mapping():
            return any(map(is_of_unit, template.values()))
        case list():
            return any(map(is_of_unit, template))
    return False


def entries() -> dict[str, dict[str, Entry]]:
    """The entries by service and operation."""
    return {
        path.stem: {
            operation: Entry(**{**given, "also": tuple(given.get("also", ()))})
            for operation, given in yaml.safe_load(path.read_text("utf-8")).items()
        }
        for path in sorted(_FOLDER.glob("*.yaml"))
    }
