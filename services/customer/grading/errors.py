"""Refusals of grading."""

from __future__ import annotations

from shared.errors import Conflict, NotFound


def not_graded_yet() -> NotFound:
    """Registered a moment ago; the first check comes with the bus."""
    return NotFound("not_graded_yet", "The customer has not been graded yet; ask again in a moment.")


def no_policy() -> Conflict:
    """No policy grades this kind of customer."""
    return Conflict("no_grade_policy", "No grade policy for this kind of customer is in force.")


def no_such_grade() -> NotFound:
    """The customer never had that many changes of grade."""
    return NotFound("not_found", "The customer has no change of grade of this number.")


def inputs_not_kept() -> Conflict:
    """It was made before grades kept what they were made from."""
    return Conflict("grade_inputs_not_kept", "What this grade was made from was not kept yet.")
