"""Refusals of the directory's people. None of them repeats a personal value."""

from collections.abc import Sequence
from datetime import date

from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound


def no_such_person() -> NotFound:
    """There is none, told as if they were out of reach."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def bad_staff(faults: Sequence[Fault]) -> Invalid:
    return Invalid("bad_staff", "Correct what is named in errors; nothing was changed.", faults)


def name_taken(name: str) -> Conflict:
    fault = Fault("/name", "taken", name, "a name that nobody has had")
    return Conflict("name_taken", "This name was given to somebody already.", [fault])


def unit_out_of_reach(unit: str, pointer: str = "/unit") -> Forbidden:
    fault = Fault(pointer, "out_of_reach", unit, "a unit within your reach")
    return Forbidden("staff_unit_out_of_reach", "You cannot put people there.", [fault])


def own_standing() -> Forbidden:
    detail = "Nobody changes what they hold themselves, or would hold as a deputy; ask another administrator."
    return Forbidden("own_standing", detail)


def authority_changed() -> Forbidden:
    detail = "Your authority changed while this waited for another change, so nothing was done. Ask again."
    return Forbidden("authority_changed", detail)


def role_above_clearance(role: str, level: str, pointer: str = "/role") -> Forbidden:
    fault = Fault(pointer, "above_clearance", level, "a level within your own clearance")
    detail = f"The role {role} clears more than you may read yourself; ask somebody with that clearance."
    return Forbidden("role_above_clearance", detail, [fault])


def role_beyond_reach(role: str, pointer: str = "/role") -> Forbidden:
    fault = Fault(pointer, "beyond_reach", role, "a role that reaches no further than you do")
    return Forbidden("role_beyond_reach", "The role reaches units that you do not reach.", [fault])


def clearance_too_high(level: str | None) -> Forbidden:
    fault = Fault("/clearance", "above_clearance", level, "a level within your own clearance")
    return Forbidden("clearance_too_high", "You cannot clear people higher than yourself.", [fault])


def has_left() -> Conflict:
    return Conflict("staff_left", "This person has left; nothing can be changed any more.")


def not_leaving() -> Conflict:
    return Conflict("not_leaving", "No leaving was announced.")


def has_started() -> Conflict:
    fault = Fault("/first_day", "started", None, "a first day that is still to come")
    return Conflict("staff_started", "The first day has passed, so it cannot be moved.", [fault])


def role_held(role: str, unit: str) -> Conflict:
    fault = Fault("/role", "held", f"{role} @ {unit}", "days on which the role is not held yet")
    return Conflict("role_held", "The person holds this role over this unit in that time already.", [fault])


def kept_in_custody(role: str, unit: str) -> Conflict:
    fault = Fault("/role", "kept_in_custody", f"{role} @ {unit}", "a change-over")
    detail = "One named person keeps this role over this unit; it goes to another by a change-over under supervision."
    return Conflict("kept_in_custody", detail, [fault])


def no_such_role() -> NotFound:
    return NotFound("no_such_grant", "The person holds no such role, or not any more.")


def post_overlaps(latest: date) -> Conflict:
    fault = Fault("/from_on", "overlaps", latest.isoformat(), "a day after the beginning of the latest main post")
    return Conflict("post_overlaps", "Another main post begins on that day or later.", [fault])


def no_such_post() -> NotFound:
    return NotFound("no_such_post", "The person has no such post, or not any more.")


def main_post() -> Conflict:
    return Conflict("main_post", "A main post in force ends by a transfer or by leaving.")


def deputy_named(deputy: str) -> Conflict:
    fault = Fault("/deputy", "named", deputy, "days on which they do not stand in yet")
    return Conflict("deputy_named", "This deputy stands in at that time already.", [fault])


def no_such_deputy() -> NotFound:
    return NotFound("no_such_deputy", "The person has no such deputy, or not any more.")
