"""Facts about files that are attached to a customer (R5.3). What they are called, and reasons, travel sealed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event, RegimeRef


class AttachmentEvent(Event):
    """What is said of each: whose it is, of which kind and level.

    `sealed`, under the key of the customer: its name, or the reason why it ended.
    """

    producers: ClassVar[tuple[str, ...]] = ("customer",)

    attachment_id: str
    customer_id: str
    version: int = Field(ge=1)
    kind: str
    secrecy: str
    sealed: str


class AttachmentKept(AttachmentEvent):
    """An attachment, or another version of it, was kept. `format` is what its content is, `size` its bytes as kept."""

    type: ClassVar[str] = "attachment.kept"

    format: str
    size: int = Field(ge=0)
    definition: RegimeRef


class AttachmentEnded(AttachmentEvent):
    """An attachment holds no more; it is still there to be read."""

    type: ClassVar[str] = "attachment.ended"


class AttachmentRefused(Event):
    """Infected content was sent as an attachment of a customer, and nothing of it was kept.

    `finding` is the scanner's name for it, `size` its bytes.
    """

    type: ClassVar[str] = "attachment.refused"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    finding: str
    size: int = Field(ge=0)
