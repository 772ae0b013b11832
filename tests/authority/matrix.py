"""The matrix: every closed route × every role × where its holder stands × whose record it is about.

Pure. What is to happen follows from the role data (`oracle`) and the route's entry (`entry`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.authority.entry import EVERY_SERVICE, Entry, entries
from tests.authority.oracle import Oracle
from tests.authority.stage import HERE, PLACES, PROGRAMS, UNITS

IN = "in"
LACKS, NO_TOKEN, TOO_OLD, ALONE = "403 not_allowed", "401 no_token", "401 sign_in_too_old", "403 peers_only"
FRESH, UNSIGNED, OLD, UNACCOMPANIED = "fresh sign-in", "no sign-in", "old sign-in", "no service beside"
THEMSELF = "themself"


@dataclass(frozen=True)
class Operation:
    """A closed route, as its service's OpenAPI document tells it."""

    service: str
    name: str
    method: str
    path: str
    action: str

    def __str__(self) -> str:
        return f"{self.service}: {self.method} {self.path} ({self.name})"


def closed(service: str, document: Mapping[str, Any]) -> Iterator[Operation]:
    """The operations of a document that ask who is there."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "x-kehu-action" in operation:
                yield Operation(service, operation["operationId"], method.upper(), path, operation["x-kehu-action"])


@dataclass(frozen=True)
class Cell:
    """One call. `record`: the place whose record it is about, or THEMSELF; `moved`: the member of path or body that
    names that place while everything else is of the caller's own; `how` the caller comes."""

    operation: Operation
    role: str
    place: str
    expected: str
    record: str = ""
    moved: str = ""
    how: str = FRESH

    def __str__(self) -> str:
        about = f", {self.moved or 'record'} of {self.record}" if self.record else ""
        return f"{self.operation} · {self.role or 'no role'} {self.place}{about}, {self.how}"


class Matrix:
    """All cells of some operations; the role "" is none."""

    def __init__(self, operations: Iterable[Operation], oracle: Oracle) -> None:
        self.operations = {(each.service, each.name): each for each in operations}
        self.oracle = oracle
        self.roles = (*oracle.roles, "")
        self._entries = entries()

    def entry_of(self, operation: Operation) -> Entry | None:
        own = self._entries.get(operation.service, {}).get(operation.name)
        return own or self._entries[EVERY_SERVICE].get(operation.name)

    def cells(self, operation: Operation) -> Iterator[Cell]:
        """All cells of a route."""
        entry = self.entry_of(operation)
        assert entry is not None, operation
        for record in entry.records:
            yield Cell(operation, "", HERE, NO_TOKEN, record, how=UNSIGNED)
        for role in self.roles:
            for place in PLACES:
                yield from self._of_place(operation, entry, role, place)
            yield from self._of_role(operation, entry, role)

    def _of_place(self, operation: Operation, entry: Entry, role: str, place: str) -> Iterator[Cell]:
        """Somebody at a place: about each record in turn, then about their own with one member of the body moved.

        Whose role does not grant the action is refused whatever the record is, so they ask about one alone; so is a
        program where services ask for a person.
        """
        is_granted = self.oracle.grants(role, operation.action)
        if not is_granted or (entry.peer and role in PROGRAMS):
            yield Cell(operation, role, place, ALONE if is_granted else LACKS, place if entry.records != ("",) else "")
            return
        is_within = partial(self._is_within, role, entry.by or operation.action, place)
        for record in entry.records:
            yield Cell(operation, role, place, IN if is_within(record, entry.reach) else entry.beyond, record)
        for member, given in entry.places.items():
            for record in PLACES:
                if record != place:
                    allowed = is_within(record, given.get("reach", entry.reach))
                    yield Cell(operation, role, place, IN if allowed else given["refused"], record, member)

    def _of_role(self, operation: Operation, entry: Entry, role: str) -> Iterator[Cell]:
        """What the route asks for beside a role, and what it says of the caller's own record."""
        is_granted = self.oracle.grants(role, operation.action)
        if self.oracle.needs_recent_sign_in(operation.action):
            yield Cell(operation, role, HERE, TOO_OLD if is_granted else LACKS, entry.records[0], how=OLD)
        if entry.peer:
            yield Cell(operation, role, HERE, ALONE if is_granted else LACKS, entry.records[0], how=UNACCOMPANIED)
        if entry.mine and role not in PROGRAMS:
            yield Cell(operation, role, HERE, entry.mine if is_granted else LACKS, THEMSELF)

    def _is_within(self, role: str, action: str, place: str, record: str, reach: str) -> bool:
        match reach:
            case "any":
                return True
            case "own":
                return record in ("", place)
            case "everything":
                return self.oracle.reaches_everything(role, action)
        return not record or self.oracle.reaches(role, action, UNITS[place], UNITS[record])


def table(wrong: Iterable[tuple[Cell, str]]) -> str:
    """The cells that are not as they should be, a line each."""
    return "\n".join(f"  {cell}: expected {cell.expected}, seen {seen}" for cell, seen in wrong)
