"""One definition in several files: the pages of a long one, joined into what a single file would say.

Used by the loader only; knows no kind of definition. Mappings are united, blocks of lines follow one another in the
order of the files' names, and nothing is said twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.regime.definition import Json, Path
from shared.regime.document import Document, Mistake


@dataclass(frozen=True, slots=True)
class Astray(Exception):
    """A page that does not fit with the files before it."""

    file: str
    mistake: Mistake


@dataclass(frozen=True, slots=True)
class Pages:
    """What all files of a definition say, and where each part of it stands."""

    data: Json
    documents: Mapping[str, Document]

    def place_of(self, path: Path) -> tuple[str, int]:
        """File and line of a part, or of the nearest thing around it that is in a file."""
        for end in range(len(path), 0, -1):
            for file, document in self.documents.items():
                if path[:end] in document.lines:
                    return file, document.lines[path[:end]]
        return next(iter(self.documents)), 1


def joined(documents: Mapping[str, Document]) -> Pages:
    """Join the files of one definition, the first being the one that carries its id.

    Raises: Astray
    """
    (_, first), *more = documents.items()
    data = first.data
    for file, document in more:
        data = _join(data, document.data, (), file, document)
    return Pages(data, documents)


def _join(before: Json, added: Json, path: Path, file: str, document: Document) -> Json:
    if isinstance(before, dict) and isinstance(added, dict):
        united = dict(before)
        for key, value in added.items():
            inner = (*path, key)
            united[key] = _join(before[key], value, inner, file, document) if key in before else value
        return united
    if _are_lines(before, added):
        return f"{before}{added}"
    if not path:
        raise Astray(file, Mistake(1, "a page that is no mapping", "write key: value"))
    name = ".".join(str(step) for step in path)
    raise Astray(file, Mistake(document.line_of(path), f"{name} stands in another file, too", "keep one of them"))


def _are_lines(*texts: Json) -> bool:
    return all(isinstance(text, str) and text.endswith("\n") for text in texts)
