"""When a sign-in has ended, what tokens say, and what is derived from the secret in a cookie. Pure."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.auth import ISSUED_AT

START = "/account"
"""The page of whoever is signed in: their password, second factor, sign-ins."""


class Stage(StrEnum):
    """What is still asked of a person before they are signed in."""

    SECOND_FACTOR = "second_factor"
    PASSWORD = "password"  # noqa: S105 - a new one must be set first
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which a person has proven who they are. `revoked_at`, `locked_at` are of the account."""

    id: UUID
    name: str
    stage: Stage
    method: str
    agent: str
    authenticated_at: datetime
    seen_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    revoked_at: datetime | None
    locked_at: datetime | None

    def lasts(self, idle: timedelta, now: datetime) -> bool:
        """Whether it has not ended: by the person, by its two clocks, or with all of the account."""
        in_time = now < self.ends_at and now < self.seen_at + idle
        in_force = self.revoked_at is None or self.authenticated_at >= self.revoked_at
        return self.ended_at is None and self.locked_at is None and in_time and in_force

    @property
    def is_open(self) -> bool:
        """Whether nothing more is asked of the person."""
        return self.stage is Stage.OPEN

    @property
    def amr(self) -> list[str]:
        """Authentication methods as RFC 8176 names them."""
        return {"password": ["pwd"]}.get(self.method, ["pwd", "otp", "mfa"])


def new_secret() -> str:
    """What a cookie, a code, a token or a page's address holds: 256 bits."""
    return secrets.token_urlsafe(32)


def mark_of(secret: str) -> bytes:
    """What a secret is found by: itself it is not kept, so that a copy of the tables opens nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def successor_of(key: bytes, token: str) -> str:
    """The refresh token that follows another. Derived, so that a lost answer can be given once more."""
    derived = hmac.digest(key, b"refresh\0" + token.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(derived).decode().rstrip("=")


def seconds_of(text: str) -> int | None:
    """A number of seconds as an app writes it; None if it is none, or beyond any sense."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def scope_of(token: str) -> list[str]:
    """The scope of an access token that was verified before."""
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return str(claims.get("scope", "")).split()


def access_claims(
    *,
    issuer: str,
    audience: str,
    name: str,
    roles: tuple[str, ...],
    unit: str | None,
    client: str,
    token_id: UUID,
    issued_at: datetime,
    lifetime_s: int,
) -> dict[str, Any]:
    """The claims of every access token (RFC 9068 names where it has them); nothing personal but the sign-in name.

    `iat` is whole seconds, which some verifiers insist on; ISSUED_AT is as fine as a revocation is dated.
    """
    second = int(issued_at.timestamp())
    return {
        "iss": issuer,
        "aud": audience,
        "sub": name,
        "iat": second,
        ISSUED_AT: issued_at.timestamp(),
        "exp": second + lifetime_s,
        "jti": str(token_id),
        "roles": list(roles),
        "unit": unit,
        "client_id": client,
        "azp": client,
    }
