"""Facts that the customer service publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event, RegimeRef


class CustomerRegistered(Event):
    """A customer file was opened. `sealed` holds {code: {"after": value}}; only the customer service can open it."""

    type: ClassVar[str] = "customer.registered"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    kind: str
    unit: str
    manager: str | None = None
    version: int = Field(ge=1)
    items: tuple[str, ...]
    sealed: str
    dictionary: RegimeRef


class CustomerChanged(Event):
    """Items of a file changed. `sealed` holds {code: {"before": value, "after": value}} under the subject's key.

    Promises one event per version, in order per customer; does not promise that two changes are not one second apart.
    """

    type: ClassVar[str] = "customer.changed"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    kind: str
    unit: str
    manager: str | None = None
    version: int = Field(ge=2)
    items: tuple[str, ...]
    sealed: str
    dictionary: RegimeRef


class DealingsRecorded(Event):
    """Purchases or violations of a customer were recorded or corrected: the totals that moved, without figures."""

    type: ClassVar[str] = "customer.dealings_recorded"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    kind: str
    totals: tuple[str, ...]


class GradeChanged(Event):
    """A re-check gave another grade than before (or the first one). Nothing is published when the grade stays.

    The score is not in it: who may see that depends on the items behind it, so that only the customer service can tell.
    """

    type: ClassVar[str] = "customer.grade_changed"
    producers: ClassVar[tuple[str, ...]] = ("customer",)
    shown_by: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("before", "grade", "override", "digest"), "customer.grade.read"
    )

    customer_id: str
    unit: str
    manager: str | None = None
    before: str | None
    grade: str
    policy: RegimeRef
    customer_version: int
    override: str | None = Field(default=None, description="The override that was in force, by its id")
    digest: str | None = Field(
        default=None, description="SHA-256 over what the grade was made from and came to; stored with it"
    )


class SubjectKeyDestroyed(Event):
    """The data key of a subject was destroyed: its values cannot be opened anywhere now; proofs stay whole (R15.1)."""

    type: ClassVar[str] = "customer.key_destroyed"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    reason: str
