"""HTTP shapes of merges."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Code = Annotated[str, Field(min_length=1, max_length=80)]
Reason = Annotated[str, Field(min_length=3, max_length=500, pattern=r"\S")]
_ONE, _OTHER = "0190a5b2-7c3d-7e4f-8a9b-0c1d2e3f4a5b", "0190a5b2-7c3d-7e4f-8a9b-0c1d2e3f4a5c"
_EXAMPLES: list[JsonValue] = [
    {"survivor": {"id": _ONE, "version": 3}, "loser": {"id": _OTHER, "version": 1}, "take": {"contact_phone": "loser"}}
]


class AsRead(BaseModel):
    """A file, and the version at which the caller read it (what If-Match is elsewhere)."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    version: int = Field(ge=1, le=999_999_999)


class Merging(BaseModel):
    """Which file goes on, which is closed, and from which of them an item comes: from the survivor, if not said."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": _EXAMPLES})

    survivor: AsRead
    loser: AsRead
    take: Annotated[dict[Code, Literal["survivor", "loser"]], Field(max_length=500)] = {}
    reason: Reason | None = None


class Undoing(BaseModel):
    """Why a merge is undone. `keep`: items changed after it that are to stay as they are now."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "两家店铺，误合并"}]})

    reason: Reason
    keep: list[Code] = Field([], max_length=500)


class MergeView(BaseModel):
    """A merge. `moved`: how many records of each feature went along. Versions: of the files as the merge left them."""

    id: UUID
    survivor: UUID
    loser: UUID
    survivor_version: int
    loser_version: int
    items: list[str]
    moved: dict[str, int]
    at: datetime
    actor: str
    reason: str | None
    undo_until: datetime
    undone_at: datetime | None
    undone_by: str | None
    undo_reason: str | None
