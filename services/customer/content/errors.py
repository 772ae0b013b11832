"""Refusals around stored content."""

from __future__ import annotations

from shared.errors import Unavailable

_RETRY = {"Retry-After": "5"}


def scanner_away() -> Unavailable:
    """The scanner does not answer, or answers with an error: nothing is taken that it has not passed."""
    return Unavailable(
        "scanner_away", "The virus scanner does not answer. Nothing was kept; try again.", headers=_RETRY
    )


def storage_away() -> Unavailable:
    """The storage that holds, or shall hold, an object cannot be used."""
    return Unavailable("storage_away", "The storage of content does not answer; try again.", headers=_RETRY)
