"""Facts about the keys of partner systems. Secrets are in none of them.

`digest` is the SHA-256 of a key of 256 random bits: it lets every service recognise the key, and nobody make it.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from shared.events.envelope import PRODUCERS, Event

_PRODUCERS = ("identity",)


class KeyEvent(Event):
    """What all facts about a key's life have: its whole present state.

    `units`, `reports`, `addresses` (networks, CIDR) narrow what the client may do; None does not. `rate`: requests a
    minute; None is what the measures say.
    """

    producers: ClassVar[tuple[str, ...]] = _PRODUCERS

    key_id: str
    prefix: str
    digest: str
    client: str
    units: tuple[str, ...] | None = None
    reports: tuple[str, ...] | None = None
    addresses: tuple[str, ...] | None = None
    rate: int | None = None
    expires_at: datetime
    revoked: bool = False
    version: int = Field(ge=1)


class KeyIssued(KeyEvent):
    """A key was made and shown, once. `replaces` names the one that it takes over from."""

    type: ClassVar[str] = "partner.key_issued"

    replaces: str | None = None


class KeyChanged(KeyEvent):
    """A key ends sooner than it would have: another one takes over from it."""

    type: ClassVar[str] = "partner.key_changed"


class KeyRevoked(KeyEvent):
    """A key is refused from now on."""

    type: ClassVar[str] = "partner.key_revoked"


class KeyUsed(Event):
    """A service let a key in; told once an hour by each of its processes, not for each request."""

    type: ClassVar[str] = "partner.key_used"
    producers: ClassVar[tuple[str, ...]] = PRODUCERS

    key_id: str
    client: str


class KeyRefused(Event):
    """A service turned away somebody who named a known key.

    `reason`: wrong_secret, revoked, expired, wrong_address, client_closed. `attempts`: refusals for it that this
    process had since it last told of one. The address is not told: it may be a person's.
    """

    type: ClassVar[str] = "partner.key_refused"
    producers: ClassVar[tuple[str, ...]] = PRODUCERS

    key_id: str
    prefix: str
    client: str
    reason: str
    attempts: int = Field(ge=1)
