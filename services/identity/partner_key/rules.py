"""What a key is for, how long it lives, and how it is made. Pure. Requirements R0.4, R4.3."""

import ipaddress
import secrets
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.auth.keys import MARK
from shared.errors import Fault

_PREFIX_LETTERS = string.ascii_lowercase + string.digits
_PREFIX_LENGTH = 8
_SECRET_BYTES = 32


class State(StrEnum):
    """Where a key stands; only an active one lets in."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CLIENT_CLOSED = "client_closed"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a key is for; None does not narrow. `addresses`: networks (CIDR). `rate`: requests a minute."""

    reports: tuple[str, ...] | None = None
    units: tuple[str, ...] | None = None
    addresses: tuple[str, ...] | None = None
    rate: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A key to make. No `expires_at`: as late as is allowed."""

    title: str
    terms: Terms
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A key as identity keeps it: everything but the key."""

    id: UUID
    client: str
    prefix: str
    digest: str
    title: str
    terms: Terms
    made_at: datetime
    made_by: str
    expires_at: datetime
    replaces: UUID | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    last_used_at: datetime | None = None
    version: int = 1

    def state(self, now: datetime, *, client_closed: bool) -> State:
        if self.revoked_at is not None:
            return State.REVOKED
        if now >= self.expires_at:
            return State.EXPIRED
        return State.CLIENT_CLOSED if client_closed else State.ACTIVE


def new_key() -> tuple[str, str]:
    """A key, and its public prefix."""
    prefix = "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(_PREFIX_LENGTH))
    return f"{MARK}{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}", prefix


def network(text: str) -> str | None:
    """A network or one address in its usual form; None if it is neither, or has bits beside the network's."""
    try:
        return str(ipaddress.ip_network(text.strip()))
    except ValueError:
        return None


def usual(terms: Terms) -> Terms:
    """The same terms, everything named once, networks in their usual form; for terms without faults."""
    networks = None if terms.addresses is None else [network(each) or each for each in terms.addresses]
    return replace(terms, reports=_once(terms.reports), units=_once(terms.units), addresses=_once(networks))


def _once(names: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(dict.fromkeys(names))


def address_faults(addresses: Sequence[str]) -> list[Fault]:
    expected = "a network such as 198.51.100.0/24 or 2001:db8::/32, or one address"
    return [
        Fault(f"/addresses/{position}", "bad_network", each[:80], expected)
        for position, each in enumerate(addresses)
        if network(each) is None
    ]


def unknown_faults(field: str, given: Iterable[str] | None, known: frozenset[str]) -> list[Fault]:
    """What is named in a field, and is not there."""
    return [
        Fault(f"/{field}/{position}", f"no_such_{field.removesuffix('s')}", each, "one that there is")
        for position, each in enumerate(given or ())
        if each not in known
    ]
