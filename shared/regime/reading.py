"""Reading the files below `regimes/`: path, YAML and shape of each. Used by the loader and by the check.

A definition that would be too long for one file keeps its pages in the folder beside it that has its file's name.

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
from shared.regime.pages import Astray, Pages, joined

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
    """A definition together with the file that carries its id, and all that say it."""

    file: str
    pages: Pages
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
        if _is_page(path, root):
            continue
        try:
            reading.sources.append(_source(root, path))
        except _Unreadable as unreadable:
            reading.problems.extend(unreadable.problems)
    if not files:
        reading.problems.append(Problem(".", 1, f"no definitions below {root.name}", "point to the regimes folder"))
    return reading


class _Unreadable(Exception):
    def __init__(self, *problems: Problem) -> None:
        self.problems = problems


def _is_page(path: Path, root: Path) -> bool:
    """A definition stands before its pages and reads them; a page without a definition is a file out of place."""
    return len(path.relative_to(root).parts) == 4 and path.suffix == ".yaml" and _bearer_of(path).is_file()


def _bearer_of(page: Path) -> Path:
    return page.parent.with_name(f"{page.parent.name}.yaml")


def _source(root: Path, path: Path) -> Source:
    file = path.relative_to(root)
    name = file.as_posix()
    shape, stem, day = _place(file, name)
    pages = _pages(root, path)
    try:
        definition = shape.model_validate(pages.data)
    except ValidationError as error:
        raise _Unreadable(*_shape_problems(pages, error)) from error
    _agree(pages, definition, stem, day)
    ref = Ref(f"{file.parts[0]}/{shape.kind_name}/{stem}", definition.effective_from, digest_of(pages.data))
    definition.stamp(ref, pages.data)
    return Source(name, pages, definition)


def _pages(root: Path, path: Path) -> Pages:
    documents: dict[str, Document] = {}
    problems = []
    for each in (path, *sorted(path.with_suffix("").glob("*.yaml"))):
        file = each.relative_to(root).as_posix()
        try:
            documents[file] = parse(each.read_text(encoding="utf-8"))
        except Mistake as mistake:
            problems.append(Problem(file, mistake.line, mistake.message, mistake.hint))
        except UnicodeDecodeError:
            problems.append(Problem(file, 1, "not UTF-8", "save the file as UTF-8"))
    if problems:
        raise _Unreadable(*problems)
    try:
        return joined(documents)
    except Astray as astray:
        found = astray.mistake
        raise _Unreadable(Problem(astray.file, found.line, found.message, found.hint)) from astray


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


def _shape_problems(pages: Pages, error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False):
        where = ".".join(str(step) for step in fault["loc"])
        yield Problem(*pages.place_of(fault["loc"]), f"{where}: {fault['msg']}", _hint(fault["type"]))


def _hint(fault: str) -> str:
    hints = {
        "extra_forbidden": "remove it, or mend its spelling",
        "missing": "add it",
        "string_type": "put it in quotes",
    }
    return hints.get(fault, "")


def _agree(pages: Pages, definition: Definition, stem: str, day: date | None) -> None:
    problems = []
    if definition.id != stem:
        place = pages.place_of(("id",))
        problems.append(Problem(*place, f"id {definition.id!r} is not the file's name", f"id: {stem}"))
    if day is not None and definition.effective_from != day:
        place = pages.place_of(("effective_from",))
        problems.append(Problem(*place, "effective_from is not the day in the file's name", f"{day}"))
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
