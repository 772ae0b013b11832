"""Makes, publishes, uses and retires signing keys. Called by routes, jobs, sign-in and this service's authenticator.

A private key leaves the database sealed and is opened in memory only (R2.3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from services.identity.signing_key import errors, repository
from shared.db import Database, Record, Transaction
from shared.events import SigningKeyRotated
from shared.ids import new_id
from shared.outbox import Outbox
from shared.sealing import KeyRing, WrappedKey

ALGORITHM = "ES256"
ACCESS_TOKEN = "at+jwt"  # noqa: S105 - a kind of token, none itself
"""The `typ` of an access token (RFC 9068), by which nobody takes an ID token for one."""
_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Signer:
    """An opened key; signing waits for nothing."""

    kid: str
    key: ECKey = field(repr=False)

    def sign(self, claims: Mapping[str, Any], *, kind: str) -> str:
        """A compact JWS of the claims, of a kind (`typ`)."""
        return jwt.encode({"alg": ALGORITHM, "kid": self.kid, "typ": kind}, dict(claims), self.key, [ALGORITHM])


class SigningKeys:
    """`lifetime` of the tokens and `prepublish` (a key is known before it signs) decide when keys come and go."""

    def __init__(self, outbox: Outbox, ring: KeyRing, *, lifetime: timedelta, prepublish: timedelta) -> None:
        self._outbox = outbox
        self._ring = ring
        self._lifetime = lifetime
        self._prepublish = prepublish
        self._opened: dict[str, ECKey] = {}

    async def ensure(self, tx: Transaction, now: datetime) -> None:
        """Make the first key if there is none; else see that the key ring opens what is there.

        Raises: Unopenable
        """
        await repository.lock(tx)
        row = await repository.signer(tx, now)
        if row is None:
            await self._add(tx, now, active_from=now)
        else:
            self._open(row)

    async def rotate(self, tx: Transaction, actor: str, now: datetime) -> dict[str, Any]:
        """Publish a new key, which signs once every cache knows it; the old one stays until its tokens have expired.

        Raises: Conflict (rotation_pending), while a new key waits for its turn
        """
        await repository.lock(tx)
        old = await repository.newest(tx)
        if old is not None and old["active_from"] > now:
            raise errors.rotation_pending(old["active_from"])
        active_from = now + self._prepublish
        fresh = await self._add(tx, now, active_from=active_from)
        if old is not None:
            await repository.retire(tx, old["kid"], active_from + self._lifetime + _SKEW)
        event = SigningKeyRotated(key_id=fresh["kid"])
        subject = f"signing-key/{fresh['kid']}"
        envelope = self._outbox.envelope(event, feature="signing_key", subject=subject, actor=actor, at=now)
        await self._outbox.add(tx, envelope, event)
        return fresh

    async def _add(self, tx: Transaction, now: datetime, *, active_from: datetime) -> dict[str, Any]:
        key_id = new_id()
        kid = str(key_id)
        key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": ALGORITHM}, private=True)
        wrapped = self._ring.new_key(kid)
        row = {
            "kid": kid,
            "public": key.as_dict(private=False),
            "kek": wrapped.kek,
            "wrapped": wrapped.wrapped,
            "sealed": self._ring.seal(wrapped, kid, key_id, key.as_dict(private=True)),
            "created_at": now,
            "active_from": active_from,
        }
        await repository.add(tx, row)
        return row

    async def signer(self, tx: Transaction, now: datetime) -> Signer:
        """The key that signs at this moment."""
        row = await repository.signer(tx, now)
        if row is None:
            raise RuntimeError("no signing key is active; SigningKeys.ensure() comes first")
        return Signer(row["kid"], self._opened.get(row["kid"]) or self._open(row))

    def _open(self, row: Record) -> ECKey:
        kid = row["kid"]
        wrapped = WrappedKey(row["kek"], row["wrapped"])
        key = ECKey.import_key(self._ring.open(wrapped, kid, UUID(kid), row["sealed"]))
        self._opened = {kid: key}
        return key

    async def published(self, tx: Transaction, now: datetime) -> list[dict[str, Any]]:
        """Every public key that a valid token may be signed with, now or soon, newest first."""
        return [row["public"] for row in await repository.published(tx, now)]

    async def destroy_retired(self, tx: Transaction, now: datetime) -> int:
        """Forget keys whose last token has expired; how many."""
        return await repository.destroy_retired(tx, now)


class OwnKeys:
    """The same keys as this service's own authenticator looks them up: from the database, not over HTTP.

    `database` is a pool of its own: requests ask for keys while they hold a connection; if all did so at once in one
    pool, none would get a second.
    """

    def __init__(self, database: Database, keys: SigningKeys, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock

    async def get(self, kid: str | None) -> KeySet:  # noqa: ARG002 - always looked up anew
        async with self._database.reading() as tx:
            found = await self._keys.published(tx, self._clock())
        return KeySet([ECKey.import_key(each) for each in found])
