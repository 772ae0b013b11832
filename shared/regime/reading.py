"""Reading the files below `regimes/`: path, YAML and shape of each. Used by the loader and by the check.

Does not look from one definition at another; that is `shared.regime.check`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path

import rfc8785
from pydantic import ValidationError

from shared.regime.definition import D, Definition, Json, Ref
from shared.regime.document import Document, Mistake, parse
from shared.regime.kinds import KINDS

FILE_NAME = re.compile(r"(?P<id>[a-z][a-z0-9_-]*)(\.(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}))?\.yaml")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something to mend: file (relative to the root), line, what is wrong, what to do."""

    file: str
    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {self.message}{hint}"


@dataclass(frozen=True, slots=True)
class Source:
    """A definition together with the file that states it."""

    file: str
    document: Document
    definition: Definition


@dataclass(slots=True)
class Reading:
    """What was read, and what could not be."""

    sources: list[Source] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(root: Path) -> Reading:
    """Read every definition below a folder; a bad file costs its own definition, never the others."""
    reading = Reading()
    files = sorted(root.rglob("*.y*ml")) if root.is_dir() else []
    for path in files:
        file = path.relative_to(root)
        try:
            reading.sources.append(_source(path, file))
        except _Unreadable as unreadable:
            reading.problems.extend(unreadable.problems)
    if not files:
        reading.problems.append(Problem(".", 1, f"no definitions below {root.name}", "point to the regimes folder"))
    return reading


class _Unreadable(Exception):
    def __init__(self, *problems: Problem) -> None:
        self.problems = problems


def _source(path: Path, file: Path) -> Source:
    name = file.as_posix()
    shape, stem, day = _place(file, name)
    try:
        document = parse(path.read_text(encoding="utf-8"))
    except Mistake as mistake:
        raise _Unreadable(Problem(name, mistake.line, mistake.message, mistake.hint)) from mistake
    except UnicodeDecodeError as error:
        raise _Unreadable(Problem(name, 1, "not UTF-8", "save the file as UTF-8")) from error
    try:
        definition = shape.model_validate(document.data)
    except ValidationError as error:
        raise _Unreadable(*_shape_problems(name, document, error)) from error
    _agree(name, document, definition, stem, day)
    ref = Ref(f"{file.parts[0]}/{shape.kind_name}/{stem}", definition.effective_from, digest_of(document.data))
    definition.stamp(ref, document.data)
    return Source(name, document, definition)


def _place(file: Path, name: str) -> tuple[type[Definition], str, date | None]:
    """Return shape, id and day as the path states them: <measure>/<kind>/<id>[.<effective from>].yaml."""
    matched = FILE_NAME.fullmatch(file.name)
    if len(file.parts) != 3 or matched is None:
        raise _Unreadable(Problem(name, 1, "not a place for a definition", "<measure>/<kind>/<id>[.<day>].yaml"))
    shape = KINDS.get(file.parts[1])
    if shape is None:
        raise _Unreadable(Problem(name, 1, f"unknown kind {file.parts[1]!r}", f"one of {', '.join(KINDS)}"))
    try:
        return shape, matched["id"], date.fromisoformat(matched["day"]) if matched["day"] else None
    except ValueError as error:
        raise _Unreadable(Problem(name, 1, f"no such day: {matched['day']}")) from error


def _shape_problems(name: str, document: Document, error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False):
        where = ".".join(str(step) for step in fault["loc"])
        yield Problem(name, document.line_of(fault["loc"]), f"{where}: {fault['msg']}", _hint(fault["type"]))


def _hint(fault: str) -> str:
    hints = {
        "extra_forbidden": "remove it, or mend its spelling",
        "missing": "add it",
        "string_type": "put it in quotes",
    }
    return hints.get(fault, "")


def _agree(name: str, document: Document, definition: Definition, stem: str, day: date | None) -> None:
    problems = []
    if definition.id != stem:
        line = document.line_of(("id",))
        problems.append(Problem(name, line, f"id {definition.id!r} is not the file's name", f"id: {stem}"))
    if day is not None and definition.effective_from != day:
        line = document.line_of(("effective_from",))
        problems.append(Problem(name, line, "effective_from is not the day in the file's name", f"{day}"))
    if problems:
        raise _Unreadable(*problems)


def digest_of(source: Json) -> str:
    """The hash of a definition: SHA-256 of the canonical form of what its file says."""
    return sha256(rfc8785.dumps(source)).hexdigest()


def restored(shape: type[D], name: str, source: Json) -> D:
    """A definition that has left the folder, from its kept text; `name` is "<measure>/<kind>/<id>".

    Raises: ValidationError, if the text is none of this kind
    """
    definition = shape.model_validate(source)
    definition.stamp(Ref(name, definition.effective_from, digest_of(source)), source)
    return definition


def as_json(definition: Definition) -> Json:
    """Return a definition as plain JSON, for answers and for `kehu regimes show`."""
    return {"ref": definition.ref.as_json(), **definition.model_dump(mode="json", exclude_none=True)}
