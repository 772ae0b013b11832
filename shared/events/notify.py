"""Facts that the notify service publishes."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event, RegimeRef


class MessageDelivered(Event):
    """A message stands in somebody's inbox; its text stays in notify."""

    type: ClassVar[str] = "message.delivered"
    producers: ClassVar[tuple[str, ...]] = ("notify",)

    message_id: str
    recipient: str
    channel: str
    template: RegimeRef
    cause: str
