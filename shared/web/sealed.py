"""Sealed values over HTTP: what the owner of a subject is asked to open (`POST /v1/values/open`), and its answer."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class SealedEvent(BaseModel):
    """An event whose values shall be opened, as it stands in the audit log."""

    model_config = ConfigDict(extra="forbid")

    event_id: UUID
    subject: str = Field(max_length=100, examples=["customer/019a...", "staff/lin"])
    sealed: str = Field(max_length=400_000)


class OpenRequest(BaseModel):
    """Events of one page."""

    model_config = ConfigDict(extra="forbid")

    items: list[SealedEvent] = Field(max_length=500)


class OpenedEvent(BaseModel):
    """`erased`: the data key is destroyed, values are null. `unopenable`: the bytes are not the owner's."""

    event_id: UUID
    state: Literal["open", "erased", "unopenable"]
    values: dict[str, Any] | None
    withheld: list[str]


class OpenAnswer(BaseModel):
    """The opened events; those of subjects out of the reader's reach are missing."""

    items: list[OpenedEvent]
