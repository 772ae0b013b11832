"""When guessing must wait, what names a guesser, and what a token says. Pure; figures are arguments."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.identity.directory.rules import Account, Kind


class Reason(StrEnum):
    """Why a sign-in was refused; for the audit log, never for the caller."""

    UNKNOWN_NAME = "unknown_name"
    WRONG_SECRET = "wrong_secret"  # noqa: S105
    INACTIVE = "inactive"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures are free, how long one waits at first and at most, and when all is forgotten."""

    free_failures: int
    first: timedelta
    longest: timedelta
    forgotten_after: timedelta

    def locked_until(self, failures: int, failed_at: datetime) -> datetime | None:
        """The end of the wait after so many failures; it doubles with each beyond the free ones."""
        if failures < self.free_failures:
            return None
        doublings = min(failures - self.free_failures, 20)  # more would leave timedelta's range
        return failed_at + min(self.first * (1 << doublings), self.longest)


def mark_of_name(key: bytes, name: str) -> bytes:
    """What a name is counted under, whether or not it exists; people type passwords there by mistake."""
    return hmac.digest(key, b"name\0" + name.encode(), hashlib.sha256)


def mark_of_address(key: bytes, address: str) -> bytes:
    """What a network address is counted under; an IPv6 caller owns a whole /64."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return hmac.digest(key, b"address\0" + address.encode(), hashlib.sha256)
    prefix = 64 if parsed.version == 6 else 32
    network = ipaddress.ip_network((parsed, prefix), strict=False)
    return hmac.digest(key, b"address\0" + str(network).encode(), hashlib.sha256)


def reason_of(account: Account | None, *, proven: bool) -> Reason | None:
    """Why this account may not come in, if so."""
    if account is None:
        return Reason.UNKNOWN_NAME
    if not proven:
        return Reason.WRONG_SECRET
    return None if account.active else Reason.INACTIVE


def claims_of(
    account: Account, *, issuer: str, audience: str, now: datetime, lifetime: timedelta, token_id: UUID
) -> dict[str, Any]:
    """The claims of an access token (RFC 9068 names where it has them)."""
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": account.name,
        "iat": issued_at,
        "exp": issued_at + int(lifetime.total_seconds()),
        "jti": str(token_id),
        "name": account.full_name,
        "roles": list(account.roles),
        "unit": account.unit,
        "units": list(account.units),
    }
    if account.kind is Kind.CLIENT:
        claims["client_id"] = account.name
    return claims
