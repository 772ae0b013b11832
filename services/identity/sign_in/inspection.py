"""Tokens that come back: asked about (RFC 7662), taken back (RFC 7009), or shown as a hint when somebody leaves.

Called by the provider and on departure. What Authlib decides on is loaded here: whether a token is ours, and in force.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from services.identity.account.people import People
from services.identity.client.service import Clients
from services.identity.sign_in import repository, rules
from services.identity.sign_in.ledger import Issuer, Token
from services.identity.sign_in.rules import Session
from services.identity.sign_in.sessions import Sessions
from services.identity.signing_key.service import ACCESS_TOKEN, ALGORITHM, SigningKeys
from shared.auth import issued_at
from shared.db import Transaction

_LONGEST = 8192


class Inspection:
    def __init__(self, issuer: Issuer, people: People, clients: Clients, sessions: Sessions, keys: SigningKeys) -> None:
        self._issuer = issuer
        self._people = people
        self._clients = clients
        self._sessions = sessions
        self._keys = keys

    async def keys(self, tx: Transaction, now: datetime) -> KeySet:
        """The public keys that tokens of ours may be signed with."""
        return KeySet([ECKey.import_key(each) for each in await self._keys.published(tx, now)])

    async def look_at(self, tx: Transaction, text: str, now: datetime) -> Token | None:
        """What a text is, if it is a token of ours."""
        row = await repository.refresh(tx, rules.mark_of(text))
        if row is not None:
            return await self._refresh(tx, dict(row), now)
        claims = await self._claims(tx, text, now)
        return None if claims is None else await self._access(tx, claims, now)

    async def _refresh(self, tx: Transaction, row: Mapping[str, Any], now: datetime) -> Token | None:
        session = await self._open(tx, row["session"], now)
        claims = {"token_type": "refresh_token", "client_id": row["client"], "scope": row["scope"]}
        if session is not None:
            claims |= {"sub": session.name, "sid": str(session.id), "exp": int(session.ends_at.timestamp())}
            claims |= {"iat": int(row["issued_at"].timestamp()), "iss": self._issuer.url}
        active = session is not None and row["used_at"] is None
        return Token(row["client"], active, claims, row["session"])

    async def audience_of(self, tx: Transaction, id_token: str, now: datetime) -> str | None:
        """The app that an ID token of ours is for, expired or not."""
        found = await self._signed(tx, id_token, now)
        audience = found.claims.get("aud") if found is not None else None
        return audience if isinstance(audience, str) else None

    async def _claims(self, tx: Transaction, text: str, now: datetime) -> dict[str, Any] | None:
        """The claims of an access token of ours; of one that has expired there is nothing to say or do."""
        found = await self._signed(tx, text, now)
        if found is None or found.header.get("typ") != ACCESS_TOKEN:
            return None
        claims = dict(found.claims)
        is_ours = claims.get("iss") == self._issuer.url and claims.get("aud") == self._issuer.audience
        return claims if is_ours and now.timestamp() < claims["exp"] else None

    async def _signed(self, tx: Transaction, text: str, now: datetime) -> jwt.Token | None:
        if not text or len(text) > _LONGEST:
            return None
        try:
            return jwt.decode(text, await self.keys(tx, now), algorithms=[ALGORITHM])
        except (JoseError, ValueError, TypeError, KeyError):
            return None

    async def _access(self, tx: Transaction, claims: dict[str, Any], now: datetime) -> Token:
        shown = {**claims, "token_type": "Bearer"}
        if "sid" in claims:
            session = await self._open(tx, UUID(claims["sid"]), now)
            return Token(claims["client_id"], session is not None, shown, UUID(claims["sid"]))
        client = await self._clients.find(tx, claims["client_id"], now)
        is_over = client is None or client.closed_at is not None or _is_before(issued_at(claims), client.revoked_at)
        return Token(claims["client_id"], not is_over, shown)

    async def _open(self, tx: Transaction, session: UUID, now: datetime) -> Session | None:
        """The session, if it lasts and its person still works here."""
        found = await self._sessions.lock(tx, session, now)
        person = await self._people.find(tx, found.name, now) if found is not None else None
        return found if person is not None and person.in_service else None


def _is_before(moment: float, revoked_at: datetime | None) -> bool:
    return revoked_at is not None and moment <= revoked_at.timestamp()
