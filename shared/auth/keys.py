"""Long-lived keys of partner systems: their form, and the check of one against the roster. Pure: no network, no table.

A key is `kehu_<prefix>_<secret>`: the prefix is public and tells keys apart, the secret is 256 random bits. Services
know a key by its SHA-256 alone. A slow hash would add nothing: nobody tries 2^256 secrets, however fast; and a search
by digest tells nothing by its time, since nobody can choose what a digest begins with. Requirements R0.4, R4.3.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from shared.errors import Unauthenticated

MARK = "kehu_"
_FORM = re.compile(r"kehu_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def digest_of(key: str) -> str:
    """How a key is known wherever it is not shown: SHA-256 in hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the directory's events describe it. None does not narrow; `expires_at` in POSIX seconds."""

    id: str
    prefix: str
    digest: str
    client: str
    expires_at: float
    revoked: bool
    units: frozenset[str] | None
    reports: frozenset[str] | None
    networks: tuple[Network, ...] | None
    rate: int | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Key:
        """From the state that an event carries."""
        addresses = data["addresses"]
        return cls(
            id=data["key_id"],
            prefix=data["prefix"],
            digest=data["digest"],
            client=data["client"],
            expires_at=datetime.fromisoformat(data["expires_at"]).timestamp(),
            revoked=data["revoked"],
            units=None if data["units"] is None else frozenset(data["units"]),
            reports=None if data["reports"] is None else frozenset(data["reports"]),
            networks=None if addresses is None else tuple(ipaddress.ip_network(each) for each in addresses),
            rate=data["rate"],
        )

    @property
    def limits(self) -> dict[str, frozenset[str]]:
        """What it narrows, as `Principal.narrowed` takes it."""
        return {} if self.reports is None else {"report": self.reports}

    def is_for(self, address: str | None) -> bool:
        """Whether it may be used from there; an address that is not known is in no network."""
        return self.networks is None or lies_in(address, self.networks)


class Keyring:
    """The keys that a service knows."""

    def __init__(self) -> None:
        self._by_digest: dict[str, Key] = {}
        self._by_prefix: dict[str, Key] = {}

    def take(self, key: Key) -> None:
        """Know a key as it is now."""
        self._by_digest[key.digest] = self._by_prefix[key.prefix] = key

    def drop(self, digest: str) -> None:
        """Know a key no longer."""
        key = self._by_digest.pop(digest, None)
        if key is not None:
            self._by_prefix.pop(key.prefix, None)

    def check(self, bearer: str, address: str | None, at: float) -> Key:
        """The key that was sent from an address at a moment (POSIX seconds). Raises: BadKey"""
        form = _FORM.fullmatch(bearer)
        if form is None:
            raise BadKey()
        key = self._by_digest.get(digest_of(bearer))
        if key is None:
            raise BadKey(self._by_prefix.get(form[1]), "wrong_secret")
        if key.revoked:
            raise BadKey(key, "revoked")
        if at >= key.expires_at:
            raise BadKey(key, "expired")
        if not key.is_for(address):
            raise BadKey(key, "wrong_address")
        return key


class BadKey(Unauthenticated):
    """A key that does not let in. The answer is the same whatever the reason; audit learns `key` and `reason`."""

    def __init__(self, key: Key | None = None, reason: str = "unknown") -> None:
        detail = "The key is unknown, expired or revoked, or not for this address."
        super().__init__("bad_key", detail, headers={"WWW-Authenticate": 'Bearer realm="kehu", error="invalid_token"'})
        self.key = key
        self.reason = reason


def lies_in(address: str | None, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks."""
    found = None if address is None else _parsed(address)
    return found is not None and any(found in network for network in networks)


def origin(peer: str | None, forwarded: Sequence[str], proxies: Sequence[Network]) -> str | None:
    """Where a request comes from: the peer, or what trusted proxies say of it. None if they say nothing readable.

    `forwarded`: the X-Forwarded-For headers, to whose end each proxy adds its own peer. So they are read from the end
    for as long as a trusted proxy speaks; what stands before that is only what a caller claims.
    """
    if not proxies or not lies_in(peer, proxies):
        return peer
    for hop in reversed([each.strip() for header in forwarded for each in header.split(",")]):
        address = _parsed(_without_port(hop))
        if address is None:
            return None
        peer = str(address)
        if not any(address in network for network in proxies):
            break
    return peer


def _without_port(hop: str) -> str:
    """`192.0.2.1:4711` and `[2001:db8::1]:4711`, as some proxies write it, without the port."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    """An address; an IPv4 one that came over an IPv6 socket as what it is."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
