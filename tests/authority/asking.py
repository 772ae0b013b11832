"""Asks the running services the cells of the matrix, and puts what they say into the matrix's words."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import httpx

from tests.authority.anywhere import Common
from tests.authority.cast import Cast
from tests.authority.entry import EMPTY, Entry, is_of_unit
from tests.authority.matrix import IN, OLD, THEMSELF, UNACCOMPANIED, UNSIGNED, Cell, Matrix
from tests.authority.records import OfCaller, OfUnit
from tests.authority.stage import UNITS


class Asker:
    """`ask(cell)` is to be `cell.expected`."""

    def __init__(self, matrix: Matrix, cast: Cast) -> None:
        self._matrix = matrix
        self._cast = cast
        self._common = Common()
        self._of_unit = cache(partial(OfUnit, cast))
        self._of_caller = cache(partial(OfCaller, cast))

    def ask(self, cell: Cell) -> str:
        """What the running service says, in the words of `Cell.expected`."""
        entry = self._matrix.entry_of(cell.operation)
        assert entry is not None
        call = self._call(cell, entry)
        path = cell.operation.path.format_map(call.pop("path"))
        if entry.peer and cell.how != UNACCOMPANIED:
            call["headers"] = {**call["headers"], "Service-Authorization": f"Bearer {self._cast.peer()}"}
        is_old, url = cell.how == OLD, self._cast.url(cell.operation.service, cell.role)
        token = None if cell.how == UNSIGNED else self._cast.token(cell.role, cell.place, is_old=is_old)
        answer = self._cast.send(url + path, cell.operation.method, token, is_stream=entry.stream, **call)
        return self._seen(answer, entry, cell)

    def _call(self, cell: Cell, entry: Entry) -> dict[str, Any]:
        home = cell.place if cell.moved else cell.record
        query = entry.query if home else {name: part for name, part in entry.query.items() if not is_of_unit(part)}
        sent = {"json": entry.body, "content": entry.content, "files": entry.files}
        parts = {"path": entry.path, "params": query, "headers": entry.headers, **sent}
        call = {name: self._filled(part, cell, home) for name, part in parts.items() if part is not None}
        if cell.moved:
            part = "path" if cell.moved in entry.path else "json"
            given = self._filled(entry.places[cell.moved]["put"], cell, cell.record)
            call[part] = _with(call[part], cell.moved.split("."), given)
        return call

    def _filled(self, template: Any, cell: Cell, place: str) -> Any:
        """The template with records in place of their names."""
        match template:
            case str() if template.startswith("$"):
                return self._record(template[1:], cell, place)
            case Mapping():
                return {key: self._filled(each, cell, place) for key, each in template.items()}
            case list():
                return [self._filled(each, cell, place) for each in template]
        return template

    def _record(self, name: str, cell: Cell, place: str) -> Any:
        if hasattr(Common, name):
            return getattr(self._common, name)
        of = self._of_caller(cell.place, cell.role) if place == THEMSELF else self._of_unit(place)
        return getattr(of, name)

    def _seen(self, answer: httpx.Response, entry: Entry, cell: Cell) -> str:
        if not answer.is_success:
            code = answer.json().get("code")
            return IN if code in entry.also else f"{answer.status_code} {code}"
        if entry.beyond == EMPTY and cell.record and not answer.json()["items"]:
            return EMPTY
        return self._shown(answer.json()["items"], entry, cell) if entry.shows else IN

    def _shown(self, items: list[dict[str, Any]], entry: Entry, cell: Cell) -> str:
        """Whether a list holds what is within reach and nothing else."""
        units, action = {each[entry.shows] for each in items}, entry.by or cell.operation.action
        reach = partial(self._matrix.oracle.reaches, cell.role, action, UNITS[cell.place])
        if cell.record != THEMSELF and (stray := {unit for unit in units if not reach(unit)}):
            return f"in, with records of {sorted(stray)}"
        if entry.whole and (missing := {unit for unit in UNITS.values() if reach(unit)} - units):
            return f"in, without records of {sorted(missing)}"
        return IN


def _with(part: Any, way: list[str], given: Any) -> Any:
    """A copy of a part of a call with something else at the end of a way into it."""
    if not way:
        return given
    if isinstance(part, list):
        return [_with(each, way[1:], given) if number == int(way[0]) else each for number, each in enumerate(part)]
    return {**part, way[0]: _with(part.get(way[0]), way[1:], given)}
