"""Keys of partner systems: issued, listed, rotated, revoked. Called by routes and by the consumer of key use.

The key itself is in the answer that made it and nowhere else: the table and the events hold its SHA-256, by which every
service recognises it (shared.auth.keys). Who makes or ends keys of a client holds that client's keys first, so that two
who do it at once cannot pass the limit together.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.identity.client.rules import Client, Kind
from services.identity.client.service import Clients
from services.identity.org.service import Org
from services.identity.partner_key import errors, repository, rules
from services.identity.partner_key.rules import Key, State, Terms, Wish
from shared.auth import Principal, within
from shared.auth.keys import digest_of
from shared.auth.terms import terms_of
from shared.clock import day_of
from shared.db import Transaction
from shared.errors import Fault
from shared.events import KeyChanged, KeyIssued, KeyRevoked
from shared.events.partner import KeyEvent
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Regimes, Report

READ, CHANGE = "partner_key.read", "partner_key.change"
_FEATURE = "partner_key"


class PartnerKeys:
    """The use cases of keys."""

    def __init__(self, clients: Clients, org: Org, outbox: Outbox, regimes: Regimes) -> None:
        self._clients = clients
        self._org = org
        self._outbox = outbox
        self._regimes = regimes

    async def page(
        self, tx: Transaction, who: Principal, client: str, before: UUID | None, limit: int, now: datetime
    ) -> list[tuple[Key, State]]:
        """Keys of a client within reach, newest first. Raises: NotFound"""
        found = await self._reached(tx, who, READ, client, now)
        return await self._page(tx, found, before, limit, now)

    async def own(
        self, tx: Transaction, who: Principal, before: UUID | None, limit: int, now: datetime
    ) -> list[tuple[Key, State]]:
        """Keys of the client that asks; a person has none."""
        client = await self._clients.find(tx, who.name, now) if who.actor == f"client/{who.name}" else None
        return [] if client is None else await self._page(tx, client, before, limit, now)

    async def _page(
        self, tx: Transaction, client: Client, before: UUID | None, limit: int, now: datetime
    ) -> list[tuple[Key, State]]:
        keys = await repository.page(tx, client.name, before, limit)
        return [(key, key.state(now, client_closed=client.closed_at is not None)) for key in keys]

    async def issue(self, tx: Transaction, who: Principal, client: str, wish: Wish, now: datetime) -> tuple[Key, str]:
        """A new key of a client: what is kept of it, and the key itself, which nobody can ask for again.

        Raises: NotFound, Conflict (not_a_partner, client_closed, too_many_keys), Invalid (unfit_key),
        Forbidden (role_above_clearance, role_beyond_reach)
        """
        owner = await self._open(tx, who, client, now)
        terms = await self._fit(tx, who, wish, now)
        return await self._make(tx, who, owner, replace(wish, terms=terms), None, now)

    async def rotate(
        self, tx: Transaction, who: Principal, key_id: UUID, ends_at: datetime | None, now: datetime
    ) -> tuple[Key, str, Key]:
        """A key that takes over from one: the same scope, a full life. Third: the former one, with its new end.

        The former one goes on until `ends_at`, or for as long as is allowed. Raises: NotFound, Conflict (key_ended,
        client_closed, too_many_keys), Invalid (unfit_key), Forbidden (role_above_clearance, role_beyond_reach)
        """
        former, owner = await self._held(tx, who, key_id, now)
        if former.state(now, client_closed=False) is not State.ACTIVE:
            raise errors.ended()
        latest = min(former.expires_at, terms_of(self._regimes, now).ends("api_key_overlap", now))
        if ends_at is not None and not now <= ends_at <= latest:
            raise errors.unfit([Fault("/ends_at", "out_of_range", ends_at, f"from now to {latest.isoformat()}")])
        made, secret = await self._make(tx, who, owner, Wish(former.title, former.terms), former.id, now)
        ended = replace(former, expires_at=ends_at or latest, version=former.version + 1)
        await repository.change(tx, ended.id, expires_at=ended.expires_at, version=ended.version)
        await self._publish(tx, KeyChanged(**_state(ended)), ended, who.actor, now)
        return made, secret, ended

    async def revoke(self, tx: Transaction, who: Principal, key_id: UUID, now: datetime) -> None:
        """End a key at once; one that has ended stays as it is. Raises: NotFound"""
        key = await self._found(tx, who, key_id, now)
        await repository.hold(tx, key.client)
        key = await self._found(tx, who, key_id, now)
        if key.revoked_at is not None:
            return
        ended = replace(key, revoked_at=now, revoked_by=who.actor, version=key.version + 1)
        await repository.change(tx, key_id, revoked_at=now, revoked_by=who.actor, version=ended.version)
        await self._publish(tx, KeyRevoked(**_state(ended)), ended, who.actor, now)

    async def restate(self, tx: Transaction, actor: str, now: datetime) -> int:
        """Publish every key that has not expired once more, as a new version in which nothing changed; how many."""
        keys = [replace(key, version=key.version + 1) for key in await repository.unexpired(tx, now)]
        for key in keys:
            await repository.change(tx, key.id, version=key.version)
            await self._publish(tx, KeyChanged(**_state(key)), key, actor, now)
        return len(keys)

    async def note_use(self, tx: Transaction, key_id: UUID, at: datetime) -> None:
        """A service let the key in at a moment."""
        await repository.note_use(tx, key_id, at)

    async def _make(
        self, tx: Transaction, who: Principal, owner: Client, wish: Wish, replaces: UUID | None, now: datetime
    ) -> tuple[Key, str]:
        most = terms_of(self._regimes, now).count("api_keys_alive")
        if await repository.count_alive(tx, owner.name, now) >= most:
            raise errors.too_many(most)
        secret, prefix = rules.new_key()
        key = Key(
            id=new_id(),
            client=owner.name,
            prefix=prefix,
            digest=digest_of(secret),
            title=wish.title,
            terms=wish.terms,
            made_at=now,
            made_by=who.actor,
            expires_at=wish.expires_at or terms_of(self._regimes, now).ends("api_key_longest", now),
            replaces=replaces,
        )
        await repository.add(tx, key)
        event = KeyIssued(**_state(key), replaces=str(replaces) if replaces else None)
        await self._publish(tx, event, key, who.actor, now)
        return key, secret

    async def _fit(self, tx: Transaction, who: Principal, wish: Wish, now: datetime) -> Terms:
        """The terms in their usual form. A unit out of reach is none. Raises: Invalid, with all faults at once"""
        terms, clock, day = wish.terms, terms_of(self._regimes, now), day_of(now)
        latest, most = clock.ends("api_key_longest", now), clock.count("requests_a_minute_most")
        reports = frozenset(report.id for report in self._regimes.all(Report, on=day))
        known = await self._org.known(tx, terms.units or ())
        units = frozenset(unit for unit in known if who.scope(CHANGE).reaches(unit))
        faults = [
            *rules.unknown_faults("reports", terms.reports, reports),
            *rules.unknown_faults("units", terms.units, units),
            *rules.address_faults(terms.addresses or ()),
        ]
        if wish.expires_at is not None and not now < wish.expires_at <= latest:
            faults.append(Fault("/expires_at", "out_of_range", wish.expires_at, f"at most {latest.isoformat()}"))
        if terms.rate is not None and terms.rate > most:
            faults.append(Fault("/rate", "out_of_range", terms.rate, f"at most {most}"))
        if faults:
            raise errors.unfit(faults)
        return rules.usual(terms)

    async def _reached(self, tx: Transaction, who: Principal, action: str, client: str, now: datetime) -> Client:
        found = await self._clients.find(tx, client, now)
        if found is None:
            raise errors.no_key()
        within(who, action, found.unit)
        return found

    async def _open(self, tx: Transaction, who: Principal, client: str, now: datetime) -> Client:
        """A client that can have keys, and whose keys the caller may see, with its keys held."""
        await repository.hold(tx, client)
        found = await self._reached(tx, who, CHANGE, client, now)
        if found.kind is not Kind.PARTNER:
            raise errors.not_a_partner(client)
        if found.closed_at is not None:
            raise errors.client_closed(client)
        await self._clients.require_cover(tx, who, CHANGE, found, now)
        return found

    async def _held(self, tx: Transaction, who: Principal, key_id: UUID, now: datetime) -> tuple[Key, Client]:
        """A key within reach of an open client, with the client's keys held."""
        key = await self._found(tx, who, key_id, now)
        owner = await self._open(tx, who, key.client, now)
        return await self._found(tx, who, key_id, now), owner

    async def _found(self, tx: Transaction, who: Principal, key_id: UUID, now: datetime) -> Key:
        key = await repository.get(tx, key_id)
        if key is None:
            raise errors.no_key()
        await self._reached(tx, who, CHANGE, key.client, now)
        return key

    async def _publish(self, tx: Transaction, event: KeyEvent, key: Key, actor: str, now: datetime) -> None:
        envelope = self._outbox.envelope(
            event, feature=_FEATURE, subject=f"key/{key.id}", actor=actor, sequence=key.version, at=now
        )
        await self._outbox.add(tx, envelope, event)


def _state(key: Key) -> dict[str, object]:
    """What events say of a key."""
    return {
        "key_id": str(key.id),
        "prefix": key.prefix,
        "digest": key.digest,
        "client": key.client,
        "units": key.terms.units,
        "reports": key.terms.reports,
        "addresses": key.terms.addresses,
        "rate": key.terms.rate,
        "expires_at": key.expires_at,
        "revoked": key.revoked_at is not None,
        "version": key.version,
    }
