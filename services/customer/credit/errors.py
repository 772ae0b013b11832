"""Refusals of credit."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound


def bad_form(faults: Sequence[Fault]) -> Invalid:
    """The term is too long, or answers are missing or wrong."""
    return Invalid("bad_credit_form", "Correct the values named in errors; nothing was stored.", faults)


def not_readable(codes: Sequence[str]) -> Forbidden:
    """Nobody writes or judges blindly what they may not read."""
    faults = [Fault(f"/answers/{code}", "not_cleared", code, "an answer within your clearance") for code in codes]
    return Forbidden(
        "answer_not_cleared", "Some answers are above your clearance; somebody else has to do this.", faults
    )


def form_open() -> Conflict:
    """One at a time."""
    return Conflict("credit_form_open", "A form of this customer waits for approval; have that decided first.")


def form_closed(state: str) -> Conflict:
    """It is not in the state from which this step leads on."""
    detail = f"The form is {state.replace('_', ' ')} by now, so this step is not open."
    return Conflict("credit_form_closed", detail, members={"state": state})


def no_such_form() -> NotFound:
    """There is none of this customer."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def bad_bills(faults: Sequence[Fault]) -> Invalid:
    """Some rows cannot be recorded; none was."""
    return Invalid("bad_credit_bills", "Correct the rows named in errors; none was recorded.", faults)


def bills_moved() -> Conflict:
    """Another feed, or a merge, gave a bill to another customer just now."""
    return Conflict("credit_bills_moved", "A bill went to another customer just now; send the rows again.")


def supply_goes_on() -> Conflict:
    """There is nothing to report, to stop or to lift."""
    return Conflict("supply_not_suspended", "The supply of this customer is not suspended.")


def stopped_already() -> Conflict:
    """Once is enough."""
    return Conflict("supply_stopped", "The supply of this customer is stopped already.")
