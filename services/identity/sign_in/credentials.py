"""Proves client systems by their secrets, before Authlib asks: hashing waits, and Authlib does not.

Called by the provider. A secret that we made cannot be guessed: it is simply looked at, and nobody can shut its client
out by wrong ones. For one that somebody chose guessing is slowed down as it is for people. Each failure is told.
"""

from datetime import datetime

from authlib.oauth2.rfc6749.util import extract_basic_authorization

from services.identity.account import errors as refusals
from services.identity.account.guard import Guard
from services.identity.account.rules import Reason
from services.identity.client.rules import Client
from services.identity.client.service import Clients
from services.identity.sign_in.failures import Failure, Failures
from services.identity.sign_in.grants import Asked
from shared.db import Database

_METHOD = "client_credentials"


class Credentials:
    def __init__(self, database: Database, clients: Clients, guard: Guard, failures: Failures) -> None:
        self._database = database
        self._clients = clients
        self._guard = guard
        self._failures = failures

    async def prove(self, asked: Asked, address: str, now: datetime) -> tuple[str | None, str | None]:
        """Which client a request is of, and its secret if that is one of the client's.

        Raises: TooManyRequests (sign_in_locked, sign_in_busy)
        """
        name, secret = extract_basic_authorization(asked.headers)
        if name is None:
            name, secret = asked.form.get("client_id"), asked.form.get("client_secret")
        if not name or not secret:
            return name, None
        async with self._database.reading() as tx:
            client = await self._clients.find(tx, name, now)
        if client is not None and client.has_chosen_secret:
            return name, secret if await self._prove_chosen(client, secret, address, now) else None
        proven = await self._clients.proves(client, secret)
        if proven and client is not None and client.closed_at is None:
            return name, secret
        await self._failures.count(_failure(client, proven=proven))
        return name, None

    async def _prove_chosen(self, client: Client, secret: str, address: str, now: datetime) -> bool:
        async with self._guard.turn(client.name):
            async with self._database.reading() as tx:
                wait_s = await self._guard.wait_of(tx, client.name, address, now)
            if wait_s:
                await self._failures.count(Failure(client.name, _METHOD, Reason.LOCKED))
                raise refusals.locked(wait_s)
            proven = await self._clients.proves(client, secret)
            async with self._database.transaction("writer") as tx:
                if proven and client.closed_at is None:
                    await self._guard.passed(tx, client.name)
                    return True
                await self._guard.failed(tx, client.name, address, now)
                await self._failures.note(tx, _failure(client, proven=proven), now)
        return False


def _failure(client: Client | None, *, proven: bool) -> Failure:
    if client is None:
        return Failure(None, _METHOD, Reason.UNKNOWN_NAME)
    return Failure(client.name, _METHOD, Reason.INACTIVE if proven else Reason.WRONG_SECRET)
