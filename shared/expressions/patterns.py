"""The regular expressions that `matches` takes: a subset without look-around or back-references, bounded when compiled.

Called by the type checker (is it one?) and by back ends (the translated source). `\\d \\w \\s` mean ASCII everywhere,
so that full-width digits do not pass for digits. A pattern always covers the whole text.

    alternatives := sequence { "|" sequence }
    sequence     := { atom [ "?" | "*" | "+" | "{" m [ "," [ n ] ] "}" ] }
    atom         := character | "." | "\\" escape | "[" class "]" | "(" [ "?:" ] alternatives ")"

A backtracking engine tries at most `ways` splits of a text; a pattern that has too many on a text of LONGEST_TEXT is
refused, which is what keeps `(a+)+` and its like out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_TEXT = 256
LONGEST_PATTERN = 200
MOST_WAYS = 100_000
_MOST_REPEATS = LONGEST_TEXT
_DEEPEST = 10

_ESCAPES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r" \t\n\r\f\v"}
_LITERAL_ESCAPES = frozenset(r".^$*+?{}[]\|()-/")
_REPEAT = re.compile(r"\{([0-9]{1,4})(,([0-9]{1,4})?)?\}")


class PatternError(ValueError):
    """The pattern is refused; `at` is the offset in it, the message says what is expected."""

    def __init__(self, at: int, expected: str) -> None:
        super().__init__(expected)
        self.at = at


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a pattern: its translated `source`, how many `ways` it can match, the `longest` text it covers."""

    source: str
    ways: int
    longest: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """A bounded pattern. `source` is plain enough for Python's re and for Rust's regex alike."""

    source: str
    ways: int
    longest: float

    def matcher(self) -> re.Pattern[str]:
        """The compiled pattern, to be used with `fullmatch`."""
        return re.compile(self.source)


def pattern(text: str) -> Pattern:
    """The bounded pattern written as `text`; raises PatternError."""
    if len(text) > LONGEST_PATTERN:
        raise PatternError(LONGEST_PATTERN, f"a pattern of at most {LONGEST_PATTERN} characters")
    whole = _Reader(text).whole()
    return Pattern(whole.source, whole.ways, whole.longest)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> Part:
        part = self._alternatives()
        if self._at < len(self._text):
            raise PatternError(self._at, "the end, or an opening bracket before")
        if part.ways > MOST_WAYS:
            raise PatternError(
                0, f"fewer repeats: at most {MOST_WAYS} ways to match, nested or neighbouring repeats multiply"
            )
        return part

    def _alternatives(self) -> Part:
        parts = [self._sequence()]
        while self._accept("|"):
            parts.append(self._sequence())
        if len(parts) == 1:
            return parts[0]
        source = f"(?:{'|'.join(part.source for part in parts)})"
        return Part(source, sum(part.ways for part in parts), max(part.longest for part in parts))

    def _sequence(self) -> Part:
        source, ways, longest = "", 1, 0.0
        while (char := self._peek()) and char not in "|)":
            start = self._at
            part = self._repeated(self._atom(), start)
            source, ways, longest = source + part.source, ways * part.ways, longest + part.longest
        return Part(source, min(ways, MOST_WAYS + 1), longest)

    def _atom(self) -> Part:
        start, char = self._at, self._text[self._at]
        self._at += 1
        if char == "(":
            return self._group(start)
        if char == "[":
            return Part(self._class(start), 1, 1)
        if char == "\\":
            escaped = self._escaped()
            return Part(f"[{_ESCAPES[escaped]}]" if escaped in _ESCAPES else re.escape(escaped), 1, 1)
        if char == ".":
            return Part(r"[^\n]", 1, 1)
        if char in "^$":
            raise PatternError(start, "no anchor: a pattern always covers the whole text")
        if char in "*+?{}]":
            raise PatternError(start, f"\\{char} for the character itself")
        return Part(re.escape(char), 1, 1)

    def _group(self, start: int) -> Part:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PatternError(start, "fewer nested brackets")
        if self._text.startswith("?", self._at):
            if not self._text.startswith("?:", self._at):
                raise PatternError(self._at, "?: (no look-around, names or flags)")
            self._at += 2
        inner = self._alternatives()
        if not self._accept(")"):
            raise PatternError(start, "a closing bracket")
        self._depth -= 1
        return Part(f"(?:{inner.source})", inner.ways, inner.longest)

    def _repeated(self, part: Part, start: int) -> Part:
        fewest, most, mark = self._repeat()
        if not mark:
            return part
        if self._peek() in {"?", "*", "+", "{"}:
            raise PatternError(self._at, "one repeat an atom")
        if fewest > _MOST_REPEATS or (most is not None and not max(fewest, 1) <= most <= _MOST_REPEATS):
            raise PatternError(start, f"1 to {_MOST_REPEATS} repeats, the smaller number first")
        if part.longest == 0:
            raise PatternError(start, "something to repeat")
        ways, power = 0, 1
        for count in range((LONGEST_TEXT if most is None else most) + 1):
            ways += power if count >= fewest else 0
            power = min(power * part.ways, MOST_WAYS + 1)
        longest = part.longest * most if most is not None else float("inf")
        return Part(part.source + mark, min(max(ways, 1), MOST_WAYS + 1), longest)

    def _repeat(self) -> tuple[int, int | None, str]:
        for mark, fewest, most in (("?", 0, 1), ("*", 0, None), ("+", 1, None)):
            if self._accept(mark):
                return fewest, most, mark
        match = _REPEAT.match(self._text, self._at)
        if match is None:
            return 1, 1, ""
        self._at = match.end()
        fewest = int(match[1])
        if match[2] is None:
            return fewest, fewest, match[0]
        return fewest, int(match[3]) if match[3] else None, match[0]

    def _class(self, start: int) -> str:
        source = "[^" if self._accept("^") else "["
        empty = True
        while not self._accept("]"):
            source += self._class_item(start)
            empty = False
        if empty:
            raise PatternError(start, "at least one character in the class")
        return source + "]"

    def _class_item(self, start: int) -> str:
        low, text = self._class_char(start)
        if low is None or not self._text.startswith("-", self._at) or self._text.startswith("-]", self._at):
            return text
        self._at += 1
        high, high_text = self._class_char(start)
        if high is None or high < low:
            raise PatternError(start, "a range from the smaller to the greater character")
        return f"{text}-{high_text}"

    def _class_char(self, start: int) -> tuple[str | None, str]:
        char = self._peek()
        if not char:
            raise PatternError(start, "a closing ]")
        self._at += 1
        if char != "\\":
            return char, re.escape(char) if char.isascii() else char
        char = self._escaped()
        return (None, _ESCAPES[char]) if char in _ESCAPES else (char, re.escape(char))

    def _escaped(self) -> str:
        char = self._peek()
        if not char or (char not in _ESCAPES and char not in _LITERAL_ESCAPES):
            raise PatternError(self._at - 1, r"one of \d \w \s, or \ before a sign that has a meaning")
        self._at += 1
        return char

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _accept(self, char: str) -> bool:
        found = self._text.startswith(char, self._at)
        self._at += found
        return found
