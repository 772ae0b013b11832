"""Keys of partner systems over HTTP. Only the answer that makes a key holds it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.identity.partner_key.rules import Key, State, Terms, Wish

_MOST = 100
_Name = Annotated[str, Field(min_length=1, max_length=64)]
_Names = Annotated[list[_Name], Field(min_length=1, max_length=_MOST)]
_EXAMPLE: dict[str, Any] = {
    "title": "Nightly filing",
    "reports": ["monthly-loans"],
    "units": ["north"],
    "addresses": ["198.51.100.0/24", "2001:db8::/32"],
}


class NewKey(BaseModel):
    """A key to make. What is left out, or null, does not narrow what the client may do."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _EXAMPLE})

    title: str = Field(min_length=1, max_length=120, pattern=r"\S", description="what it is used for; no person's name")
    reports: _Names | None = Field(None, description="ids of report types")
    units: _Names | None = Field(None, description="institutions, each by itself")
    addresses: _Names | None = Field(None, description="networks (CIDR) or addresses, IPv4 and IPv6")
    rate: int | None = Field(None, ge=1, description="requests a minute; else as the measures say")
    expires_at: AwareDatetime | None = Field(None, description="else as late as is allowed")

    @property
    def wish(self) -> Wish:
        terms = Terms(_tuple(self.reports), _tuple(self.units), _tuple(self.addresses), self.rate)
        return Wish(self.title, terms, self.expires_at)


def _tuple(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


class Rotation(BaseModel):
    """When the former key ends; as late as is allowed, if nothing is said."""

    model_config = ConfigDict(extra="forbid")

    ends_at: AwareDatetime | None = None


class KeyView(BaseModel):
    """What is known of a key. `last_used_at`: to the hour."""

    id: UUID
    client: str
    prefix: str
    title: str
    state: State
    reports: list[str] | None
    units: list[str] | None
    addresses: list[str] | None
    rate: int | None
    made_at: datetime
    made_by: str
    expires_at: datetime
    replaces: UUID | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None
    version: int


class MadeKey(KeyView):
    """A new key. `key` is shown here once and is kept nowhere."""

    key: str


class RotatedKey(MadeKey):
    """A new key, and until when the former one goes on."""

    former_ends_at: datetime


def shown(key: Key, state: State) -> dict[str, Any]:
    """The members of a KeyView."""
    plain = ("id", "client", "prefix", "title", "made_at", "made_by", "expires_at", "replaces", "revoked_at",
             "revoked_by", "last_used_at", "version")  # fmt: skip
    terms = {name: getattr(key.terms, name) for name in ("reports", "units", "addresses", "rate")}
    return {**{name: getattr(key, name) for name in plain}, **terms, "state": state}
