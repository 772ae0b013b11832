"""Signing in and out at the issuer, as use cases: begin, finish, leave. Called by the routes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.console.session import errors
from services.console.session.flows import Flows
from services.console.session.provider import Provider
from services.console.session.rules import Flow, Tokens, code_of, renew_at
from services.console.session.service import Session, Sessions
from shared.auth import Authenticator, Principal
from shared.auth.terms import terms_of
from shared.db import Transaction
from shared.regime import Regimes
from shared.telemetry import log

_OAUTH_ERROR = re.compile("[a-z_]{1,60}")


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way: `address` is where the browser goes, `cookie` what it keeps for so many `seconds`."""

    address: str
    state: str = field(repr=False)
    cookie: str = field(repr=False)
    seconds: int


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody who has just signed in."""

    principal: Principal
    tokens: Tokens
    at: datetime


class Signing:
    def __init__(
        self, provider: Provider, flows: Flows, sessions: Sessions, authenticator: Authenticator, regimes: Regimes
    ) -> None:
        self._provider = provider
        self._flows = flows
        self._sessions = sessions
        self._authenticator = authenticator
        self._regimes = regimes

    async def begin(self, on: str, locale: str, now: datetime, *, fresh: bool, hint: str | None) -> Begun:
        """A sign-in that leads on to an address of this site. Raises: Unavailable"""
        flow, terms = self._flows.begin(on, now, fresh=fresh), terms_of(self._regimes, now)
        longest_s = int(terms.term("session_absolute").total_seconds())
        address = await self._provider.address(flow, longest_s, locale, hint)
        seconds = int(terms.term("authorization_request").total_seconds())
        return Begun(address, flow.state, self._flows.seal(flow), seconds)

    def flow_of(self, cookie: str | None, state: str, now: datetime) -> Flow:
        """The sign-in with this state. Raises: Malformed (sign_in_not_begun)"""
        term = terms_of(self._regimes, now).term("authorization_request")
        flow = self._flows.open(cookie, state, term, now) if state else None
        if flow is None:
            raise errors.not_begun()
        return flow

    async def finish(self, flow: Flow, answer: Mapping[str, str], now: datetime) -> Proven:
        """Who it is that the issuer sent back. Raises: Malformed, Unauthenticated, Unavailable"""
        metadata = await self._provider.metadata()
        names_itself = metadata.authorization_response_iss_parameter_supported
        if _OAUTH_ERROR.fullmatch(answer.get("error", "")):
            log(part="session").warning("issuer_declined", error=answer["error"])
        code = code_of(answer, self._provider.issuer, names_itself=names_itself)
        grant = await self._provider.redeem(code, flow.verifier)
        claims = await self._provider.proven(grant, now, nonce=flow.nonce)
        signed_in_at = self._recent(flow, claims, now)
        principal = await self._authenticator.principal(f"Bearer {grant.access_token}")
        ends_at = datetime.fromtimestamp(principal.expires_at, UTC)
        tokens = Tokens(
            access=grant.access_token,
            refresh=grant.refresh_token,
            id=grant.id_token or "",
            subject=str(claims["sub"]),
            name=principal.name,
            ends_at=ends_at,
            renew_at=renew_at(now, ends_at),
        )
        return Proven(principal, tokens, signed_in_at)

    def _recent(self, flow: Flow, claims: Mapping[str, Any], now: datetime) -> datetime:
        """When the person proved who they are, if that is recent enough: an issuer may overlook what was asked."""
        at = claims.get("auth_time")
        longest = terms_of(self._regimes, now).term("session_absolute")
        if not isinstance(at, int | float) or not flow.is_recent_enough(at, longest):
            raise errors.unproven()
        return datetime.fromtimestamp(min(at, now.timestamp()), UTC)

    async def open(self, tx: Transaction, former: str, proven: Proven, now: datetime) -> str:
        """A session in place of the browser's former one; its secret."""
        await self._sessions.close(tx, former)
        return await self._sessions.open(tx, proven.tokens, proven.at, now)

    async def close(self, tx: Transaction, secret: str) -> Session | None:
        """End the browser's session; what it was."""
        return await self._sessions.close(tx, secret)

    async def way_out(self, session: Session | None, locale: str) -> str | None:
        """Where the sign-in at the issuer ends, too; None if that cannot be asked for. Raises: Unavailable"""
        return None if session is None else await self._provider.way_out(session.tokens.id, locale)
