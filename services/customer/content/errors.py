"""Refusals around stored content."""

from __future__ import annotations

from shared.errors import Fault, Invalid, Unavailable

_RETRY = {"Retry-After": "5"}


def infected(finding: str) -> Invalid:
    """The scanner knows what is in it."""
    fault = Fault("", "infected", finding, "content in which the virus scanner finds nothing")
    return Invalid("infected", "The virus scanner found something. Nothing was kept; this was recorded.", [fault])


def scanner_away() -> Unavailable:
    """The scanner does not answer, or answers with an error: nothing is taken that it has not passed."""
    return Unavailable(
        "scanner_away", "The virus scanner does not answer. Nothing was kept; try again.", headers=_RETRY
    )


def storage_away() -> Unavailable:
    """The storage that holds, or shall hold, an object cannot be used."""
    return Unavailable("storage_away", "The storage of content does not answer; try again.", headers=_RETRY)
