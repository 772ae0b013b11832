"""HTTP shapes of attachments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class AttachmentEnd(BaseModel):
    """Why an attachment holds no more."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class VersionView(BaseModel):
    """One content of an attachment. `size` in bytes as it is kept, `sha256` of what was sent."""

    version: int
    media_type: str
    size: int
    sha256: str
    name: str | None
    kept_at: datetime
    kept_by: str


class AttachmentView(BaseModel):
    """An attachment with its content of now; `withheld`: it is above the reader's clearance, so its name is not shown.

    `version` counts changes: contents that were kept, and the end.
    """

    id: UUID
    kind: str
    secrecy: str
    version: int
    content: VersionView
    withheld: bool
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None


class AttachmentHistory(AttachmentView):
    """The same with every content that it had, oldest first."""

    versions: list[VersionView] = Field(default=[])
