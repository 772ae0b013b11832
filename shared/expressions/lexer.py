"""Text to tokens. Called by the parser alone; knows spelling, not grammar.

A text literal stands in single or double quotes and has no escapes, so that patterns read as written; its own quote
is doubled, as in 'it''s'.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from shared.expressions.errors import ExpressionError, Problem, problem

KEYWORDS = frozenset({"and", "or", "not", "in", "true", "false", "null"})
SPELLINGS = {"&&": "and", "||": "or", "!": "not"}
"""Accepted on reading; the canonical text has the words."""

_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\r\n]+)
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<text>'(?:[^'\x00-\x1f]|'')*'|"(?:[^"\x00-\x1f]|"")*")
    | (?P<name>{_NAME})
    | (?P<symbol>==|!=|<=|>=|&&|\|\||[-+*/<>!?:,()\[\]])
    """,
    re.VERBOSE,
)


class Kind(Enum):
    """What a token is, before grammar."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    SYMBOL = "symbol"  # operators, brackets and keywords
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is the canonical spelling, for a text literal its content; `at` is the offset in the source."""

    kind: Kind
    text: str
    at: int


def is_name(text: str) -> bool:
    """Whether `text` can name a field or a function: dotted ASCII words, none of the keywords."""
    return re.fullmatch(_NAME, text) is not None and text not in KEYWORDS


def tokens(source: str) -> list[Token]:
    """The tokens of `source`, the last one always of kind END."""
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError([_unreadable(source, at)])
        if match.lastgroup != "space":
            found.append(_token(match))
        at = match.end()
    found.append(Token(Kind.END, "the end", len(source)))
    return found


def _token(match: re.Match[str]) -> Token:
    text, at = match.group(), match.start()
    kind = Kind(match.lastgroup)
    if kind is Kind.TEXT:
        quote = text[0]
        return Token(kind, text[1:-1].replace(quote * 2, quote), at)
    if kind is Kind.NAME and text in KEYWORDS:
        return Token(Kind.SYMBOL, text, at)
    return Token(kind, SPELLINGS.get(text, text), at)


def _unreadable(source: str, at: int) -> Problem:
    if source[at] in "'\"":
        return problem(source, at, "unterminated_text", source[at], "a closing quote on the same line")
    return problem(source, at, "bad_character", repr(source[at]), "a name, number, text, operator or bracket")
