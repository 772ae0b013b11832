"""Refusals of lines. None of them repeats a number."""

from collections.abc import Sequence

from shared.errors import Conflict, Fault, Invalid, NotFound


def no_such_line() -> NotFound:
    """There is none, told as if it were out of reach."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def bad_line(faults: Sequence[Fault]) -> Invalid:
    return Invalid("bad_line", "Correct what is named in errors; nothing was changed.", faults)


def line_held() -> Conflict:
    fault = Fault("/value", "held", None, "days on which nobody else has it")
    return Conflict("line_held", "Somebody has this number or account in that time already.", [fault])


def line_over() -> Conflict:
    return Conflict("line_over", "It was given back already; assign it anew.")
