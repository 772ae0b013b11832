"""List columns obey field permission: what is hidden is neither shown nor filtered nor sorted by (R2.2, R5.5).

A column shows the item that serves as it (`use` in the dictionary); the grade has an action of its own. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from services.customer.file import errors
from shared.auth import Principal, Scope
from shared.regime import Catalogue, Secrecy, Use

READ, READ_GRADE = "customer.read", "customer.grade.read"
_ORDER = Use.NAME.value


def scope_for(who: Principal, catalogues: Collection[Catalogue], asked: Collection[str]) -> Scope:
    """The files that a reader may list in order of the name, filtered by these columns.

    Raises: Forbidden (filter_not_cleared)
    """
    columns, whole = {_ORDER, *asked}, who.scope(READ)
    scope = _scope(who, catalogues, columns)
    if not scope and whole:
        alone = {column: _scope(who, catalogues, {column}) for column in columns}
        hidden = {column for column, found in alone.items() if not found}
        refused = hidden or {column for column, found in alone.items() if found != whole}
        raise errors.filter_refused(sorted(refused.intersection(asked)))
    return scope


def _scope(who: Principal, catalogues: Iterable[Catalogue], columns: Collection[str]) -> Scope:
    """The files of which a reader sees all these columns."""
    scope = who.scope(READ, {field for each in catalogues for field in _fields(each, columns)})
    return scope & who.scope(READ_GRADE) if "grade" in columns else scope


def _fields(catalogue: Catalogue, asked: Collection[str]) -> set[tuple[Secrecy, str]]:
    items = (catalogue.items[code] for code, use in catalogue.uses.items() if use.value in asked)
    return {(item.secrecy, item.field_class) for item in items}


def without_hidden(
    who: Principal, catalogue: Catalogue, row: dict[str, Any], place: tuple[str, str | None] | None = None
) -> dict[str, Any]:
    """A row with nothing in the columns that its reader may not see.

    `place`: unit and manager of the file, where the row tells those of another day.
    """
    place = place or (row["unit"], row["manager"])
    sight = who.sight(READ, *place)
    items = ((use.value, catalogue.items[code]) for code, use in catalogue.uses.items())
    hidden = {column for column, item in items if not sight.shows(item.secrecy, item.field_class)}
    if not who.sight(READ_GRADE, *place):
        hidden.add("grade")
    return {name: None if name in hidden else value for name, value in row.items()} if hidden else row
