"""Refusals of a search."""

from __future__ import annotations

from shared.errors import Fault, Invalid

LEAST, MOST = 2, 60


def too_short(seen: str) -> Invalid:
    """One character is in too many names; spaces and marks do not count."""
    return _bad("too_short", seen, f"at least {LEAST} characters, letters or digits")


def too_long(seen: str) -> Invalid:
    """More than any name or address is known by."""
    return _bad("too_long", seen, f"at most {MOST} characters, letters or digits")


def unsafe() -> Invalid:
    """Control characters, or what turns the direction of text."""
    return _bad("unsafe_text", "…", "text without control characters")


def bad_cursor(seen: str) -> Invalid:
    """Not a cursor of a search."""
    fault = Fault("query:cursor", "bad_cursor", seen[:80], "next_cursor of the page before, unchanged")
    return Invalid("bad_cursor", "Start again without a cursor.", [fault])


def _bad(code: str, seen: str, expected: str) -> Invalid:
    return Invalid("bad_search", "Search for something else.", [Fault("query:q", code, seen[:80], expected)])
