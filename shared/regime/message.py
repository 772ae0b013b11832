"""Messages: which event tells whom what. Rendered and delivered by notify (R14.1).

Slots are plain `{name}`; each is filled from the event by a dotted path, so a message needs no code of its own.
"""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Json, Secrecy, Shape, Snake, Text

SLOT = re.compile(r"\{([^{}]*)\}")


class Slot(Shape):
    """What fills a slot: `path` leads into the event ("subject", "data.grade"); `personal` slots are never logged."""

    label: Text
    path: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)*$", max_length=120)]
    personal: bool = False


class MessageExample(Shape):
    """An event and the text that it makes."""

    event: Mapping[str, Json]
    subject: Text
    body: Text


class Message(Definition):
    """A text that an event sends. `audience` names a party of the event's subject."""

    kind_name: ClassVar[str] = "message"

    event: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+$")]
    audience: Snake
    secrecy: Secrecy
    slots: Mapping[Snake, Slot]
    subject: Text
    body: Text
    examples: tuple[MessageExample, ...] = Field(min_length=1)
