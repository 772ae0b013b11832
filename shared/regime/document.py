"""Reading one YAML file as data with positions. Used by the loader only; knows no kind of definition.

A strict subset of YAML 1.2: true, false, null and integers of at most 15 digits are what they look like, all else is
text (decimals keep their digits, `on` stays a word). Anchors, tags, several documents and doubled keys are refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from shared.regime.definition import Json, Path
from shared.yamls import LOADER

INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")  # longer ones are identifiers, and beyond exact JSON numbers
WORDS: Mapping[str, Json] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Mistake(Exception):
    """A line that is not YAML as it is written here."""

    line: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and the line on which each part of it stands."""

    data: Json
    lines: Mapping[Path, int]

    def line_of(self, path: Path) -> int:
        """Return the line of a part, or of the nearest thing around it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str) -> Document:
    """Parse the text of one file.

    Raises: Mistake, at the first line that cannot be read
    """
    lines: dict[Path, int] = {}
    try:
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.NodeEvent):
                _refuse_indirection(event)
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Mistake(mark.line + 1 if mark else 1, str(error.problem or error.context)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Mistake(line, f"the character U+{error.character:04X} is not allowed", "remove it") from error
    if root is None:
        raise Mistake(1, "the file is empty", "write a definition, or remove the file")
    return Document(_value(root, (), lines), lines)


def _refuse_indirection(event: yaml.NodeEvent) -> None:
    if event.anchor is not None:
        raise Mistake(_line(event), "anchors and aliases are not used", "refer to definitions by id")
    if getattr(event, "tag", None) is not None:
        raise Mistake(_line(event), "tags are not used", "write plain values")


def _line(part: yaml.Event | yaml.Node) -> int:
    return part.start_mark.line + 1 if part.start_mark else 1


def _value(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Json:
    lines.setdefault(path, _line(node))
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, path, lines))
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, position), lines) for position, child in enumerate(node.value)]
    return _scalar(node.value, plain=not node.style) if isinstance(node, yaml.ScalarNode) else None


def _pairs(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> Iterator[tuple[str, Json]]:
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Mistake(_line(key), "a key must be a word")
        if key.value in seen:
            raise Mistake(_line(key), f"the key {key.value!r} stands twice", "keep one of them")
        seen.add(key.value)
        lines[(*path, key.value)] = _line(key)
        yield key.value, _value(value, (*path, key.value), lines)


def _scalar(text: str, *, plain: bool) -> Json:
    if not plain:
        return text
    if text in WORDS:
        return WORDS[text]
    return int(text) if INTEGER.fullmatch(text) else text
