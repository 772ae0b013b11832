"""Why a text is not an expression, and what went wrong around one: positions, stable codes, what was seen and expected.

Raised by every stage of compiling; the loader of regimes turns problems into findings with file and line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_LONGEST_SEEN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a text. `offset` counts characters from 0; `line` and `column` count from 1."""

    code: str
    offset: int
    line: int
    column: int
    seen: str
    expected: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column} {self.code}: saw {self.seen}, expected {self.expected}"


class ExpressionError(ValueError):
    """The text is refused; `problems` holds every fault found, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.offset))
        super().__init__("; ".join(map(str, self.problems)))


class RowError(TypeError):
    """The caller's row holds a value of another type than the schema says. Names the field, never the value."""


class ContextError(LookupError):
    """The caller's context lacks a part that the schema promised."""


def problem(text: str, offset: int, code: str, seen: str, expected: str) -> Problem:
    """A problem at `offset` of `text`; a long `seen` is cut."""
    if len(seen) > _LONGEST_SEEN:
        seen = f"{seen[:_LONGEST_SEEN]}…"
    line_start = text.rfind("\n", 0, offset) + 1
    return Problem(code, offset, text.count("\n", 0, offset) + 1, offset - line_start + 1, seen, expected)
