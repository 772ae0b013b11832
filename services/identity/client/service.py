"""Client systems: entered, changed, closed, and proven by their secrets. Called by routes, sign-in and the directory.

A secret that we make has 256 random bits and is kept as SHA-256: nobody guesses it, so hashing it slowly would only
slow down services, which prove themselves often. One that somebody else chose (directory file) is kept as argon2id.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.identity.account.passwords import Passwords
from services.identity.client import errors, repository, rules
from services.identity.client.rules import Client, Entry, Kind
from services.identity.org.service import Org
from services.identity.staff.access import Access
from services.identity.staff.service import Staff
from shared.auth import Principal, Scope, Subject, within
from shared.auth.terms import terms_of
from shared.clock import day_of
from shared.db import Transaction
from shared.errors import Fault
from shared.events import AccessRevoked, ClientChanged, Event
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Regimes, Role

_FEATURE = "client"
READ, CHANGE = "client.read", "client.change"


class Clients:
    """`lifetime` of access tokens: how long a revocation must be remembered.

    `audience` of access tokens: an app of that name would get ID tokens that seem to be meant for services.
    """

    def __init__(
        self,
        outbox: Outbox,
        passwords: Passwords,
        org: Org,
        staff: Staff,
        access: Access,
        regimes: Regimes,
        *,
        lifetime: timedelta,
        audience: str,
    ) -> None:
        self.reserved = frozenset({audience})
        self._outbox = outbox
        self._org = org
        self._staff = staff
        self._access = access
        self._passwords = passwords
        self._regimes = regimes
        self._lifetime = lifetime

    async def hash(self, secret: str) -> str:
        """A hash of a secret that somebody chose, for `add`; before the transaction."""
        return await self._passwords.hash(secret)

    async def add(
        self, tx: Transaction, entry: Entry, now: datetime, *, secret_hash: str | None = None, actor: str = "system"
    ) -> int:
        """Enter a client if its name is free among clients; how many were entered."""
        row = {
            "name": entry.name,
            "kind": entry.kind.value,
            "title": entry.title,
            "unit": entry.unit,
            "roles": list(entry.roles),
            "redirect_uris": list(entry.redirect_uris),
            "sign_out_uris": list(entry.sign_out_uris),
            "version": 1,
            "created_at": now,
        }
        added = await repository.add(tx, row)
        if added:
            if secret_hash is not None:
                await repository.add_secret(tx, new_id(), entry.name, secret_hash, now)
            await self._publish_state(tx, entry.name, actor, now)
        return added

    async def known(self, tx: Transaction) -> set[str]:
        """The names of all clients."""
        return await repository.names(tx)

    async def announce(self, tx: Transaction, now: datetime) -> int:
        """Publish clients that were carried over from before there were events; how many."""
        names = await repository.unpublished(tx)
        for name in names:
            await repository.change(tx, name, version=1)
            await self._publish_state(tx, name, "system", now)
        return len(names)

    async def restate(self, tx: Transaction, actor: str, now: datetime) -> int:
        """Publish every client once more, as a new version in which nothing changed; how many."""
        names = await repository.names(tx)
        for name in sorted(names):
            client = await self._known(tx, name, now)
            await repository.change(tx, name, version=client.version + 1)
            await self._publish_state(tx, name, actor, now)
        return len(names)

    async def create(self, tx: Transaction, who: Principal, entry: Entry, now: datetime) -> tuple[Client, str | None]:
        """Enter a client; it, and its secret (None for an app), which is never shown again.

        Raises: Invalid (unfit_client), Forbidden (client_out_of_reach, role_…), Conflict (name_taken)
        """
        await self._org.hold(tx, who)
        await self._require_fit(tx, entry, now)
        if not who.scope(CHANGE).reaches(entry.unit):
            raise errors.unit_out_of_reach(entry.unit)
        await self.require_cover(tx, who, CHANGE, entry, now, "/roles")
        if await self._staff.known(tx, [entry.name]):
            raise errors.name_taken(entry.name)
        secret = None if entry.kind is Kind.APP else rules.new_secret()
        hashed = None if secret is None else rules.hash_of(secret)
        if not await self.add(tx, entry, now, secret_hash=hashed, actor=who.actor):
            raise errors.name_taken(entry.name)
        return await self._known(tx, entry.name, now), secret

    async def _require_fit(self, tx: Transaction, entry: Entry, now: datetime) -> None:
        today = day_of(now)
        roles = {role.id for role in self._regimes.all(Role, on=today) if role.held_by == entry.kind.value}
        units = await self._org.known(tx, [entry.unit] if entry.unit else [])
        faults = rules.faults_of(entry, roles, {name for name, unit in units.items() if not unit.is_closed})
        if entry.name in self.reserved:
            faults.append(Fault("/name", "reserved", entry.name, "a name other than the audience of tokens"))
        if faults:
            raise errors.unfit(faults)

    async def require_cover(
        self, tx: Transaction, who: Principal, action: str, client: Client | Entry, now: datetime, pointer: str = ""
    ) -> None:
        """Refuse whoever, by the action, clears or reaches less than a client's roles: who sees its secret has them.

        Raises: Forbidden (role_above_clearance, role_beyond_reach)
        """
        for role in self._regimes.all(Role, on=day_of(now)):
            if role.id in client.roles:
                await self._access.require_cover(tx, who, action, role, client.unit, pointer)

    async def find(self, tx: Transaction, name: str, now: datetime) -> Client | None:
        """The client, closed ones too, with the secrets that are alive."""
        return await repository.find(tx, name, now)

    async def _known(self, tx: Transaction, name: str, now: datetime) -> Client:
        found = await repository.find(tx, name, now)
        if found is None:
            raise errors.no_client()
        return found

    async def page(self, tx: Transaction, scope: Scope, after: str, limit: int) -> list[Client]:
        """Clients within reach by name, those after one. An app has no unit: who reaches all, reaches it."""
        return await repository.page(tx, None if scope.everything else sorted(scope.units), after, limit)

    async def require(self, tx: Transaction, who: Principal, action: str, name: str, now: datetime) -> Client:
        """The client, if the action reaches it. Raises: NotFound"""
        found = await self._known(tx, name, now)
        within(who, action, found.unit)
        return found

    async def subject(self, tx: Transaction, name: str, now: datetime) -> Subject | None:
        """A client as authority sees it, for explanations."""
        found = await repository.find(tx, name, now)
        return None if found is None else Subject(found.unit)

    async def proves(self, client: Client | None, secret: str) -> bool:
        """Whether this is one of the client's secrets; only those that somebody chose take time."""
        for each in client.secrets if client is not None else ():
            if rules.fits(each, secret) if rules.is_made(each) else await self._passwords.verify(each, secret):
                return True
        return False

    async def change(
        self, tx: Transaction, who: Principal, name: str, changes: dict[str, Any], version: int, now: datetime
    ) -> Client:
        """Change title, unit, roles or addresses. To move a client is to give it its roles over another unit.

        Raises: NotFound, PreconditionFailed, Conflict, Invalid, Forbidden (client_out_of_reach, role_…)
        """
        before = await self._open(tx, name, now)
        if before.version != version:
            raise errors.changed_meanwhile(before.version)
        fields = ("title", "unit", "roles", "redirect_uris", "sign_out_uris")
        entry = Entry(name, before.kind, **{each: changes.get(each, getattr(before, each)) for each in fields})
        await self._require_fit(tx, entry, now)
        if not who.scope(CHANGE).reaches(entry.unit):
            raise errors.unit_out_of_reach(entry.unit)
        kept = before.roles if entry.unit == before.unit else ()
        given = replace(entry, roles=tuple(role for role in entry.roles if role not in kept))
        await self.require_cover(tx, who, CHANGE, given, now, "/roles")
        values = {each: list(v) if isinstance(v := getattr(entry, each), tuple) else v for each in changes}
        await repository.change(tx, name, **values, version=version + 1)
        return await self._publish_state(tx, name, who.actor, now)

    async def close(self, tx: Transaction, name: str, now: datetime, *, actor: str) -> Client:
        """Let the client ask for nothing more; its tokens end. Raises: NotFound, Conflict (client_closed)"""
        before = await self._open(tx, name, now)
        await repository.drop_secrets(tx, name)
        await repository.change(tx, name, closed_at=now, version=before.version + 1)
        await self.revoke(tx, name, now, actor=actor, reason="closed")
        return await self._publish_state(tx, name, actor, now)

    async def rotate(self, tx: Transaction, who: Principal, name: str, now: datetime) -> tuple[str, datetime]:
        """A new secret, and when the former one ends; any older one ends at once.

        Raises: NotFound, Conflict (public_client, client_closed), Forbidden (role_…)
        """
        before = await self._open(tx, name, now)
        await self.require_cover(tx, who, CHANGE, before, now)
        if before.is_public:
            raise errors.public_client()
        former_ends_at = terms_of(self._regimes, now).ends("api_key_overlap", now)
        await repository.end_secrets(tx, name, former_ends_at)
        secret = rules.new_secret()
        await repository.add_secret(tx, new_id(), name, rules.hash_of(secret), now)
        await repository.change(tx, name, version=before.version + 1)
        await self._publish_state(tx, name, who.actor, now)
        return secret, former_ends_at

    async def _open(self, tx: Transaction, name: str, now: datetime) -> Client:
        found = await repository.lock(tx, name, now)
        if found is None:
            raise errors.no_client()
        if found.closed_at is not None:
            raise errors.closed()
        return found

    async def revoke(self, tx: Transaction, name: str, now: datetime, *, actor: str, reason: str) -> None:
        """End every token that the client was given up to now."""
        await repository.change(tx, name, revoked_at=now)
        event = AccessRevoked(name=name, issued_until=now, reason=reason, until=now + self._lifetime)
        await self._publish(tx, event, f"client/{name}", actor, now, None)

    async def drop_expired_secrets(self, tx: Transaction, now: datetime) -> int:
        """Remove secrets that have ended; how many. A job."""
        return await repository.drop_expired_secrets(tx, now)

    async def _publish_state(self, tx: Transaction, name: str, actor: str, now: datetime) -> Client:
        client = await self._known(tx, name, now)
        event = ClientChanged(
            name=name,
            kind=client.kind.value,
            unit=client.unit,
            roles=client.roles,
            active=client.closed_at is None,
            version=client.version,
        )
        await self._publish(tx, event, f"client/{name}", actor, now, client.version)
        return client

    async def _publish(
        self, tx: Transaction, event: Event, subject: str, actor: str, now: datetime, sequence: int | None
    ) -> None:
        envelope = self._outbox.envelope(
            event, feature=_FEATURE, subject=subject, actor=actor, sequence=sequence, at=now
        )
        await self._outbox.add(tx, envelope, event)
