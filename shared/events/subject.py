"""Facts about what people were told of the data that are kept of them (R15.1)."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event


class SubjectDisclosed(Event):
    """All that is kept of a customer left the service, to be handed to them.

    `records`: the features whose records were in it beside the file; `withheld`: items that were left out.
    """

    type: ClassVar[str] = "subject.disclosed"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    version: int
    records: tuple[str, ...]
    withheld: tuple[str, ...]
