"""HTTP shapes of relations."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.customer.relation.rules import Outside, Wish
from shared.regime import Party, Text

Share = Annotated[Decimal, Field(max_digits=7, decimal_places=4, description="percent; best as text")]


class PartyIn(BaseModel):
    """Somebody outside; certificate type and number come together."""

    model_config = ConfigDict(extra="forbid")

    type: Party
    name: str = Field(min_length=1, max_length=200)
    certificate_type: str | None = Field(None, max_length=40)
    certificate_number: str | None = Field(None, min_length=1, max_length=60)

    @property
    def outside(self) -> Outside:
        return Outside(self.type, self.name, self.certificate_type, self.certificate_number)


class NewRelation(BaseModel):
    """What somebody is to the customer: another customer, or a party outside."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "shareholder", "party": {"type": "person", "name": "示例甲"}, "share": "40"}]
        },
    )

    kind: str = Field(max_length=60)
    customer_id: UUID | None = None
    party: PartyIn | None = None
    share: Share | None = None
    since: date | None = None

    @property
    def wish(self) -> Wish:
        outside = self.party.outside if self.party else None
        return Wish(self.kind, self.customer_id, outside, self.share, self.since)


class RelationChange(BaseModel):
    """New values of what is named; kind and other side stay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"share": "35"}]})

    share: Share | None = None
    since: date | None = None
    party: PartyIn | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What is named, as members of a wish."""
        named = {"share": self.share, "since": self.since, "outside": self.party.outside if self.party else None}
        places = {"outside": "party"}
        return {name: value for name, value in named.items() if places.get(name, name) in self.model_fields_set}


class RelationEnd(BaseModel):
    """The last day."""

    model_config = ConfigDict(extra="forbid")

    ended_on: date


class PartyView(BaseModel):
    """Somebody outside."""

    type: Party
    name: str
    certificate_type: str | None
    certificate_number: str | None


class RelationView(BaseModel):
    """A relation as one side sees it: `label` says what the other side is to it.

    `own`: it stands in this customer's file, and is changed there. Other side: a customer or a party; both null and
    `withheld` if the reader may not see who it is, or it was erased.
    """

    id: UUID
    kind: str
    label: Text | None
    own: bool
    customer_id: UUID | None
    party: PartyView | None
    withheld: bool
    share: str | None
    since: date | None
    ended_on: date | None
    version: int
    added_at: datetime
    added_by: str
