"""Refusals of simulations."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound


def bad_policy(faults: Sequence[Fault]) -> Invalid:
    """The definition does not hold; every flaw is named."""
    return Invalid("bad_policy", "The policy does not hold; mend what is named in errors.", faults)


def no_such_policy() -> NotFound:
    """No policy of this id is declared."""
    return NotFound("unknown_definition", "No grade policy of this id is declared.")


def no_such_simulation() -> NotFound:
    """There is none, or it is out of reach."""
    return NotFound("not_found", "There is no such simulation, or it is not yours to see.")


def not_your_simulation() -> Forbidden:
    """It shows what its owner may see, which is not the same for others."""
    return Forbidden("not_your_simulation", "A simulation is for who asked for it; ask for one of your own.")


def unit_out_of_reach(unit: str) -> Forbidden:
    """Customers of that unit are not to be simulated by the caller."""
    return Forbidden("unit_out_of_reach", f"Unit {unit} is not within your reach.", members={"unit": unit})


def not_cleared(items: Sequence[str]) -> Forbidden:
    """The policy reads items that its author may not see: who moves would tell their values."""
    detail = "The policy reads items above your clearance; who would move would tell their values."
    return Forbidden("simulation_not_cleared", detail, members={"items": list(items)})


def simulation_over(state: str) -> Conflict:
    """There is nothing left to cancel."""
    return Conflict("simulation_over", f"The simulation is {state} already.", members={"state": state})
