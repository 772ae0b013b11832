"""Refusals of hand-overs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound


def no_such_handover() -> NotFound:
    """There is none, told as if it were out of reach."""
    return NotFound("not_found", "There is no such hand-over, or it is not yours to see.")


def bad(faults: Sequence[Fault]) -> Invalid:
    """Persons, customers, reason or channel do not fit."""
    return Invalid("bad_handover", "Correct the values named in errors; nothing was done.", faults)


def not_eligible(seen: str) -> Fault:
    """Nobody whom these customers could go to. One text for unknown, left, other unit and no role: none tells more."""
    expected = "somebody who stays in service and whose role looks after customers of this unit"
    return Fault("/successor", "not_eligible", seen[:80], expected)


def is_open(faults: Sequence[Fault]) -> Conflict:
    """One hand-over of a customer at a time."""
    detail = "A hand-over of these customers is open; end that one first."
    return Conflict("handover_open", detail, faults)


def not_approved() -> Conflict:
    """Somebody else has to agree before the successor is asked."""
    return Conflict("handover_not_approved", "The hand-over waits for approval.", members={"state": "proposed"})


def closed(state: str) -> Conflict:
    """It is not in the state from which this step leads on."""
    return Conflict("handover_closed", f"The hand-over is {state} by now.", members={"state": state})


def not_eligible_now() -> Conflict:
    """Whom the customers were to go to has left, or lost the role, since it was proposed."""
    detail = "Whoever is to look after these customers may not any more; name somebody else."
    return Conflict("handover_not_eligible", detail)


def alone(action: str) -> Forbidden:
    """One person, or the leaver and nobody else, cannot move customers."""
    detail = "A hand-over takes two people beside whoever hands over; somebody else has to take this step."
    return Forbidden("same_person", detail, members={"action": action})


def nothing() -> Conflict:
    """None of these customers is the person's any more."""
    return Conflict("nothing_to_hand_over", "None of these customers can be moved; nothing was done.")


def term_over(until: datetime) -> Conflict:
    """Too late."""
    detail = "The term in which a hand-over can be undone is over; propose another one."
    return Conflict("handover_undo_over", detail, members={"undo_until": until.isoformat()})
