"""Refusals of overrides."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import Conflict, Fault, Invalid, NotFound


def bad_override(faults: Sequence[Fault]) -> Invalid:
    """The grade is none of the policy's, or the day is not one that may be chosen."""
    return Invalid("bad_override", "Correct the values named in errors.", faults)


def override_open() -> Conflict:
    """One at a time."""
    return Conflict("override_open", "An override of this customer is proposed or in force; end that one first.")


def override_closed(state: str) -> Conflict:
    """It is not in the state from which this step leads on."""
    detail = f"The override is {state.replace('_', ' ')} by now, so this step is not open."
    return Conflict("override_closed", detail, members={"state": state})


def no_such_override() -> NotFound:
    """There is none of this customer."""
    return NotFound("not_found", "There is no such override, or it is not yours to see.")
