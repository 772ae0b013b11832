"""Refusals of the list of tasks."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import Fault, Invalid


def unknown_type(seen: str, types: Sequence[str]) -> Invalid:
    """No feature knows such tasks."""
    return Invalid("unknown_task", "There are no such tasks.", [Fault("/type", "not_in_list", seen[:80], list(types))])
