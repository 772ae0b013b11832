"""HTTP shapes of duplicates."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.regime import Text, Verdict

_EXAMPLES: list[JsonValue] = [
    {"kind": "retail", "values": {"shop_name": "示例便利店", "contact_phone": "13900000000", "address": "示例路 1 号"}}
]


class Asked(BaseModel):
    """What is known of a customer who is not registered yet; as much of it as there is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": _EXAMPLES})

    kind: str = Field(max_length=60)
    values: Annotated[dict[Annotated[str, Field(max_length=80)], Any], Field(min_length=1, max_length=500)]


class Dismissal(BaseModel):
    """Why two files are of two customers."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "同名，但为两家店铺"}]})

    reason: str = Field(min_length=3, max_length=500, pattern=r"\S")


class SideView(BaseModel):
    """A file: its id and where it belongs, if it is within reach; else at most its name."""

    model_config = ConfigDict(from_attributes=True)

    customer_id: UUID | None
    kind: str | None
    unit: str | None
    manager: str | None
    number: str | None
    name: str | None
    within_reach: bool


class HeldRuleView(BaseModel):
    """A rule that holds, whether by the same value or one alike, and by which items of files within reach."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: Text
    same: bool
    items: tuple[str | None, str | None]


class MatchView(BaseModel):
    """A file that may be of the same customer."""

    customer: SideView
    verdict: Verdict
    rules: list[HeldRuleView]
    pair_id: UUID | None
    dismissed: bool


class MatchesView(BaseModel):
    """Files that may be of the same customer, the likeliest first."""

    items: list[MatchView]


class PairView(BaseModel):
    """Two files that may be of one customer, the older one first."""

    id: UUID
    found_at: datetime
    files: tuple[SideView, SideView]
    verdict: Verdict
    rules: list[HeldRuleView]
