"""All declared measures, as services ask for them. Built by `shared.regime.loader`; never changes, reads no file."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType

import rfc8785

from shared.errors import NotFound
from shared.regime.calendar import Calendar
from shared.regime.codelist import Codelist
from shared.regime.definition import D, Definition
from shared.regime.dictionary import Catalogue, Dictionary
from shared.regime.grade import GradePolicy
from shared.regime.message import Message
from shared.regime.report import Report
from shared.regime.role import Role

Versions = Mapping[tuple[type[Definition], str], tuple[Definition, ...]]


class Regimes:
    """Every definition in every version, immutable.

    `get`, `find` and `all` serve any kind; the named readers below only save their callers a word.
    """

    def __init__(self, definitions: Iterable[Definition]) -> None:
        families: dict[tuple[type[Definition], str], list[Definition]] = {}
        for definition in definitions:
            families.setdefault((type(definition), definition.key), []).append(definition)
        self._versions: Versions = MappingProxyType(
            {
                name: tuple(sorted(family, key=lambda definition: definition.effective_from))
                for name, family in families.items()
            }
        )
        refs = sorted((d.ref.id, d.ref.version.isoformat(), d.ref.hash) for d in self.definitions)
        self.hash = sha256(rfc8785.dumps([list(ref) for ref in refs])).hexdigest()
        self._catalogue = lru_cache(maxsize=64)(self._gather)
        self._labels = lru_cache(maxsize=64)(self._label)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """Every version of every definition."""
        return tuple(definition for family in self._versions.values() for definition in family)

    def find(self, shape: type[D], key: str, *, on: date) -> D | None:
        """Return the version in force on a day, if there is one."""
        family = self._versions.get((shape, key), ())
        position = bisect_right(family, on, key=lambda definition: definition.effective_from)
        found = family[position - 1] if position else None
        return found if isinstance(found, shape) else None

    def get(self, shape: type[D], key: str, *, on: date) -> D:
        """Return the version in force on a day.

        Raises: NotFound (unknown_definition), if none is
        """
        found = self.find(shape, key, on=on)
        if found is None:
            raise NotFound("unknown_definition", f"no {shape.kind_name} {key!r} is in force on {on}")
        return found

    def all(self, shape: type[D], *, on: date) -> tuple[D, ...]:
        """Return the version in force of every definition of a kind, by key."""
        keys = sorted(key for kind, key in self._versions if kind is shape)
        found = (self.find(shape, key, on=on) for key in keys)
        return tuple(definition for definition in found if definition is not None)

    def catalogue(self, kind: str, *, on: date) -> Catalogue:
        """Return all items and totals of a kind of customer; the same object for the same day.

        Raises: NotFound (unknown_kind), if no dictionary has the kind
        """
        return self._catalogue(kind, on)

    def labels(self, *, on: date) -> Mapping[str, Mapping[str, str]]:
        """Return code -> Chinese text by code list, as expressions look codes up."""
        return self._labels(on)

    def _label(self, on: date) -> Mapping[str, Mapping[str, str]]:
        lists = self.all(Codelist, on=on)
        return {found.id: {code: text.zh for code, text in found.codes.items()} for found in lists}

    def _gather(self, kind: str, on: date) -> Catalogue:
        catalogue = Catalogue(kind, self.all(Dictionary, on=on))
        if not catalogue.groups:
            raise NotFound("unknown_kind", f"no dictionary of kind {kind!r} is in force on {on}")
        return catalogue

    def grade(self, kind: str, *, on: date) -> GradePolicy:
        """Return the grade policy of a kind of customer."""
        return self.get(GradePolicy, kind, on=on)

    def report(self, report_id: str, *, on: date) -> Report:
        """Return a report type."""
        return self.get(Report, report_id, on=on)

    def codelist(self, list_id: str, *, on: date) -> Codelist:
        """Return a code list."""
        return self.get(Codelist, list_id, on=on)

    def role(self, role_id: str, *, on: date) -> Role:
        """Return a role."""
        return self.get(Role, role_id, on=on)

    def messages(self, event: str, *, on: date) -> tuple[Message, ...]:
        """Return the messages that an event type sends."""
        return tuple(message for message in self.all(Message, on=on) if message.event == event)

    def calendar(self, calendar_id: str, *, on: date) -> Calendar:
        """Return a calendar."""
        return self.get(Calendar, calendar_id, on=on)
