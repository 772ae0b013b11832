"""Facts of grades that people set in place of the reckoned ones; the customer service publishes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event


class GradeOverrideEvent(Event):
    """What each of them says: whose grade, which override, which grade, up to and including which day, who asked."""

    producers: ClassVar[tuple[str, ...]] = ("customer",)
    shown_by: ClassVar[Mapping[str, str]] = {"grade": "customer.grade.read"}

    customer_id: str
    unit: str
    manager: str | None = None
    override: str
    grade: str
    expires_on: str
    proposer: str | None = None


class GradeOverrideProposed(GradeOverrideEvent):
    """Somebody asked for another grade than the reckoned one. `desk`: the unit of those who are asked."""

    type: ClassVar[str] = "grade.override_proposed"

    desk: str | None = None

    sealed: str = Field(description='{"reason": {"after": text}} under the subject\'s key')


class GradeOverrideApproved(GradeOverrideEvent):
    """All agreed who have to: it is in force."""

    type: ClassVar[str] = "grade.override_approved"


class GradeOverrideRefused(GradeOverrideEvent):
    """It came to nothing."""

    type: ClassVar[str] = "grade.override_refused"

    sealed: str = Field(description='{"reason": {"after": text}} under the subject\'s key')


class GradeOverrideLifted(GradeOverrideEvent):
    """It was ended before its time; the reckoned grade holds again."""

    type: ClassVar[str] = "grade.override_lifted"

    sealed: str = Field(description='{"reason": {"after": text}} under the subject\'s key')


class GradeOverrideExpired(GradeOverrideEvent):
    """Its time is up, or that for deciding about it."""

    type: ClassVar[str] = "grade.override_expired"
