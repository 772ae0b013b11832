"""Messages: which event tells whom what. Rendered and delivered by notify (R14.1).

Slots are plain `{name}`; each is filled from the event by a dotted path, so a message needs no code of its own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Flaw, Json, Library, Path, Secrecy, Shape, Snake, Text
from shared.regime.resource import Resource
from shared.regime.role import ActionName

SLOT = re.compile(r"\{([^{}]*)\}")


class Slot(Shape):
    """What fills a slot: `path` leads into the event ("subject", "data.grade").

    `absent` stands in where the path ends in nothing; without it something has to be there. `personal` slots are never
    logged.
    """

    label: Text
    path: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)*$", max_length=120)]
    absent: Text | None = None
    personal: bool = False


class MessageExample(Shape):
    """An event and the text that it makes."""

    event: Mapping[str, Json]
    subject: Text
    body: Text


class Message(Definition):
    """A text that an event sends. `audience` names a party of the event's subject.

    Only who may do the action `shown_by` where the subject belongs, and is cleared for `secrecy` in it, sees the text;
    any other recipient sees that there is a message.
    """

    kind_name: ClassVar[str] = "message"

    event: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+$")]
    audience: Snake
    shown_by: ActionName
    secrecy: Secrecy
    slots: Mapping[Snake, Slot]
    subject: Text
    body: Text
    examples: tuple[MessageExample, ...] = Field(min_length=1)

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield an action that is not there, and slots that a text uses but nobody fills or that no text uses."""
        resource, _, verb = self.shown_by.partition(".")
        declared = library.find(Resource, resource, on=self.effective_from)
        if declared is None or verb not in declared.actions:
            yield Flaw(("shown_by",), f"no action {self.shown_by}", "see the resource folder")
        for name, text in (("subject", self.subject), ("body", self.body)):
            yield from slot_flaws(text, self.slots, (name,))
        used = slots_of(self.subject.zh + self.body.zh) | slots_of(self.subject.en + self.body.en)
        for name in sorted(self.slots.keys() - used):
            yield Flaw(("slots", name), f"no text uses {{{name}}}", "remove the slot, or use it")


def slots_of(text: str) -> frozenset[str]:
    """Return the names of the slots in a text."""
    return frozenset(SLOT.findall(text))


def slot_flaws(text: Text, known: Iterable[str], path: Path) -> Iterator[Flaw]:
    """Yield slots of a text that are not known, and slots that only one language has."""
    for language, words in (("zh", text.zh), ("en", text.en)):
        for name in sorted(slots_of(words) - set(known)):
            yield Flaw((*path, language), f"nothing fills {{{name}}}", f"one of {', '.join(sorted(known))}")
    for name in sorted(slots_of(text.zh) ^ slots_of(text.en)):
        yield Flaw(path, f"only one language has {{{name}}}", "use it in both")
