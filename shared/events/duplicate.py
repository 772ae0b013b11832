"""Facts about customers with two files. Which rules hold is told, never by what values; reasons travel sealed."""

from __future__ import annotations

from typing import ClassVar, Literal

from shared.events.envelope import Event


class DuplicateFound(Event):
    """A file and an older one may be of the same customer, by these rules."""

    type: ClassVar[str] = "customer.duplicate_found"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    unit: str
    manager: str | None = None
    other_id: str
    verdict: Literal["certain", "possible"]
    rules: tuple[str, ...]


class DuplicateDismissed(Event):
    """Somebody looked at two files and says that they are of two customers. `sealed` holds {"reason": …}."""

    type: ClassVar[str] = "customer.duplicate_dismissed"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    unit: str
    manager: str | None = None
    other_id: str
    sealed: str
