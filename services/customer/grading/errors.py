"""Refusals of grading."""

from __future__ import annotations

from shared.errors import Conflict, NotFound


def not_graded_yet() -> NotFound:
    """Registered a moment ago; the first check comes with the bus."""
    return NotFound("not_graded_yet", "The customer has not been graded yet; ask again in a moment.")


def no_policy() -> Conflict:
    """No policy grades this kind of customer."""
    return Conflict("no_grade_policy", "No grade policy for this kind of customer is in force.")
