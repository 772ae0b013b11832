"""Refusals of change-overs. None of them repeats a password."""

from collections.abc import Sequence

from services.identity.custody.rules import State
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound


def no_such_change() -> NotFound:
    """There is none, told as if it were out of reach, and the other way round."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def bad_change_over(faults: Sequence[Fault]) -> Invalid:
    return Invalid("bad_change_over", "Correct what is named in errors; nothing was changed.", faults)


def open_already() -> Conflict:
    return Conflict("change_over_open", "A change-over of this role over this unit is open already.")


def closed(state: State) -> Conflict:
    return Conflict("change_over_closed", f"This change-over is over: {state}.", members={"state": state.value})


def outdated(faults: Sequence[Fault]) -> Conflict:
    detail = "Things have changed since it was proposed; withdraw it and propose it anew."
    return Conflict("change_over_outdated", detail, faults)


def not_your_part() -> Forbidden:
    return Forbidden("not_your_part", "Only the person who is named in the change-over does this, by themself.")


def same_person(action: str) -> Forbidden:
    detail = f"You took another step of this change-over; somebody else has to do {action}."
    return Forbidden("same_person", detail, members={"action": action})


def not_allowed(action: str) -> Forbidden:
    detail = f"None of your roles grants {action} over this unit."
    return Forbidden("not_allowed", detail, members={"action": action})


def confirmed_already() -> Conflict:
    return Conflict("confirmed_already", "You have confirmed already.")


def confirm_first(outstanding: Sequence[str]) -> Conflict:
    detail = f"The supervisor confirms last; still to confirm: {', '.join(outstanding)}."
    return Conflict("confirm_first", detail, members={"outstanding": list(outstanding)})
