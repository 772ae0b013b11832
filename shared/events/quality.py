"""Facts about the quality of customer files."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event, RegimeRef


class QualityChanged(Event):
    """The quality of a file is of another declared level than `before`; the first judgement of a file is no change."""

    type: ClassVar[str] = "customer.quality_changed"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    kind: str
    unit: str
    manager: str | None = None
    before: str
    quality: str
    customer_version: int = Field(ge=1)
    policy: RegimeRef
