"""Signing out because an app asks (OpenID Connect RP-Initiated Logout 1.0). Called by the routes of pages.

An ID token of ours tells whose sign-in is to end; without one, or in the browser of somebody else, the person is asked.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authlib.oauth2 import OAuth2Error

from services.identity.client.service import Clients
from services.identity.sign_in.grants import Asked
from services.identity.sign_in.inspection import Inspection
from services.identity.sign_in.ledger import Issuer, Ledger
from services.identity.sign_in.provider import Parameters
from services.identity.sign_in.rules import Session
from services.identity.sign_in.server import END_SESSION, Server
from services.identity.sign_in.sessions import Sessions
from shared.db import Transaction


@dataclass(frozen=True, slots=True)
class Departed:
    """The sign-in is over; `onward` is where the app wants the person to go, if it may say so."""

    onward: str | None


@dataclass(frozen=True, slots=True)
class MustAsk:
    """It is not sure that the person wants this."""


class Departure:
    def __init__(self, issuer: Issuer, clients: Clients, sessions: Sessions, inspection: Inspection) -> None:
        self._issuer = issuer
        self._clients = clients
        self._sessions = sessions
        self._inspection = inspection

    async def ask(
        self, tx: Transaction, asked_for: Parameters, session: Session | None, now: datetime
    ) -> Departed | MustAsk:
        """End what the app's hint names; a hint that is not ours is none."""
        asked = Asked("GET", asked_for)
        ledger = Ledger(self._issuer, now, keys=await self._inspection.keys(tx, now))
        hinted = await self._inspection.audience_of(tx, asked.payload.data.get("id_token_hint", ""), now)
        for name in filter(None, (asked.payload.client_id, hinted)):
            client = await self._clients.find(tx, name, now)
            if client is not None and client.closed_at is None:
                ledger.clients = {**ledger.clients, name: client}
        try:
            found = Server(ledger).validate_endpoint_request(END_SESSION, asked)
        except (OAuth2Error, ValueError):  # ValueError: Authlib cannot put into words what is wrong
            found = None
        if found is None or found.needs_confirmation or found.client is None:
            return MustAsk() if session is not None else Departed(None)
        meant = _session_of(found.id_token_claims)
        if session is not None and session.id != meant:
            return MustAsk()
        ended = session if session is not None else meant and await self._sessions.lock(tx, meant, now)
        if ended:
            await self._sessions.sign_out(tx, ended, now)
        return Departed(found.redirect_uri)


def _session_of(claims: dict[str, object]) -> UUID | None:
    try:
        return UUID(str(claims.get("sid")))
    except ValueError:
        return None
