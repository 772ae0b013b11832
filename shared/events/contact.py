"""Facts about contacts of staff with customers (R5.3, R5.4, R7.1, R7.4). What was said travels sealed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event, RegimeRef


class ContactEvent(Event):
    """What all of them say: which contact with whom, of which kind, and when it was.

    `by_unit`: the department of whoever recorded it; `unit`: the one that is responsible for the customer.
    """

    producers: ClassVar[tuple[str, ...]] = ("customer",)
    shown_by: ClassVar[Mapping[str, str]] = {"flags": "contact.read"}

    contact: str
    customer_id: str
    unit: str
    manager: str | None = None
    by_unit: str
    kind: str
    held_at: datetime
    version: int = Field(ge=1)


class ContactRecorded(ContactEvent):
    """A contact was entered in the file of a customer. `flags`: what was not as the rules say."""

    type: ClassVar[str] = "contact.recorded"

    staff: tuple[str, ...]
    first: bool = Field(description="the first one of its kind with the customer")
    flags: tuple[str, ...]
    definition: RegimeRef
    sealed: str = Field(description='{"contact_record": {"after": {...}}} under the subject\'s key')


class ContactCorrected(ContactEvent):
    """Another version of a contact; those before stay. `withdrawn`: there was no such contact."""

    type: ClassVar[str] = "contact.corrected"

    staff: tuple[str, ...]
    first: bool
    flags: tuple[str, ...]
    withdrawn: bool
    definition: RegimeRef
    sealed: str = Field(description='{"contact_record": {"after": {...}}, "reason": {"after": text}} likewise')


class ContactFlagged(ContactEvent):
    """Something of a contact was not as the rules say, and nobody was told of it before."""

    type: ClassVar[str] = "contact.flagged"

    flags: tuple[str, ...]


class ContactReported(ContactEvent):
    """Another department than the responsible one was in contact with a customer."""

    type: ClassVar[str] = "contact.reported"
    shown_by: ClassVar[Mapping[str, str]] = {}  # what was not right, the flags, is not told here
