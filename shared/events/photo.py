"""Facts about photographs that were not taken (R1.6). Those that were are changes of their customer."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event


class PhotoRefused(Event):
    """An infected picture was sent for an image item of a customer, and nothing of it was kept.

    `finding` is the scanner's name for it, `size` its bytes.
    """

    type: ClassVar[str] = "photo.refused"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    item: str
    finding: str
    size: int = Field(ge=0)
