"""Refusals of the organisation tree."""

from collections.abc import Sequence

from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound


def no_such_unit() -> NotFound:
    """There is none, told as if it were out of reach."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def bad_unit(faults: Sequence[Fault]) -> Invalid:
    return Invalid("bad_unit", "Correct what is named in errors; nothing was changed.", faults)


def unit_taken(unit: str) -> Conflict:
    fault = Fault("/id", "taken", unit, "an id that no unit has had")
    return Conflict("unit_taken", "There is such a unit already.", [fault])


def parent_out_of_reach(parent: str | None) -> Forbidden:
    fault = Fault("/parent", "out_of_reach", parent, "a unit within your reach; the top needs all units")
    return Forbidden("parent_out_of_reach", "You cannot put units there.", [fault])


def own_gain(role: str) -> Forbidden:
    fault = Fault("/parent", "own_standing", role, "a unit below which you reach no more than before")
    detail = "As holder of a role above, or as a deputy, you would reach the unit; ask another administrator."
    return Forbidden("own_standing", detail, [fault])


def gain_above_clearance(role: str, level: str) -> Forbidden:
    fault = Fault("/parent", "above_clearance", level, "a level within your own clearance")
    detail = (
        f"There the role {role} reaches the unit, and clears more than you may give; ask somebody with that clearance."
    )
    return Forbidden("role_above_clearance", detail, [fault])


def circle(parent: str) -> Conflict:
    fault = Fault("/parent", "circle", parent, "a unit that is neither this one nor below it")
    return Conflict("unit_circle", "A unit cannot stand below itself.", [fault])


def parent_closed(parent: str) -> Conflict:
    fault = Fault("/parent", "closed", parent, "an open unit")
    return Conflict("parent_closed", "The unit above is closed.", [fault])


def closed() -> Conflict:
    fault = Fault("/closed", "closed", True, "false, to open it again")
    return Conflict("unit_closed", "The unit is closed; open it before you change it.", [fault])


def in_use(units: int, people: int) -> Conflict:
    detail = "Close the units below it and transfer its people first."
    return Conflict("unit_in_use", detail, members={"open_units": units, "people": people})
