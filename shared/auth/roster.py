"""The roster: the small copy of the directory that each service keeps, from events, and its image in memory.

A consumer in the worker writes what `org.*`, `staff.*`, `client.*`, `partner.*` and `identity.*` events say into one
table of the service's own database; each api follows that table a few times a second. So a request asks neither the
identity service nor the database who somebody is, and a change acts everywhere within a second or so.

Whoever is not in it stands nowhere. So a roster is usable once it holds all that was on the bus when it began, and as
long as it is read; a row that cannot be read takes away what it is about.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from shared.auth.authority import Holding
from shared.auth.keys import Key, Keyring
from shared.bus import Partition, Watermark
from shared.clock import now
from shared.db import Database, Record, Transaction, advisory_key, is_passing
from shared.events import (
    AccessRevoked,
    ClientChanged,
    Envelope,
    Event,
    KeyChanged,
    KeyIssued,
    KeyRevoked,
    OrgChanged,
    SessionEnded,
    StaffChanged,
    StaffJoined,
    StaffLeaving,
    StaffLeft,
    StaffMoved,
    Standing,
)
from shared.events.directory import StaffEvent
from shared.events.partner import KeyEvent
from shared.inbox import Consumer, Effect
from shared.regime import Secrecy
from shared.telemetry import log

_POLL_S = 0.25
_LAST_DELAY_S = 5.0
_UNKNOWN_DELAY_S = 1.0
_STALE_S = 10.0
_UNIT, _PERSON, _CLIENT, _KEY, _SESSION, _REVOKED = "unit", "person", "client", "key", "session", "revoked"

_PUT = """
INSERT INTO roster (kind, id, version, data) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, data = excluded.data, serial = DEFAULT
WHERE roster.version < excluded.version
"""
_FORGET = "DELETE FROM roster WHERE kind IN ('session', 'revoked') AND (data->>'until')::timestamptz < $1"
_AFTER = "SELECT kind, id, data, serial FROM roster WHERE serial > $1 ORDER BY serial"

Row: TypeAlias = Mapping[str, Any] | Record


def roster_table(metadata: MetaData) -> Table:
    """What this service knows of the directory; part of each service's own schema."""
    return Table(
        "roster",
        metadata,
        Column("kind", Text, primary_key=True, comment="unit, person, client, key, session, revoked"),
        Column("id", Text, primary_key=True),
        Column("version", BigInteger, nullable=False, comment="of the subject; an older one never replaces a newer"),
        Column("data", JSONB, nullable=False, comment="as the last event said; no personal values"),
        Column("serial", BigInteger, Identity(always=True), nullable=False, unique=True, comment="rises with commits"),
        comment="copy of the directory, from events",
    )


async def _put(tx: Transaction, kind: str, key: str, version: int, data: Mapping[str, Any]) -> None:
    # One writer at a time: whoever follows the serial must never see a higher one before a lower one.
    await tx.execute("SELECT pg_advisory_xact_lock($1)", advisory_key("roster"))
    await tx.execute(_PUT, kind, key, version, data)


async def _unit(tx: Transaction, _envelope: Envelope, event: OrgChanged) -> None:
    await _put(tx, _UNIT, event.unit, event.version, {"parent": event.parent})


async def _person(tx: Transaction, _envelope: Envelope, event: StaffEvent) -> None:
    standing = event.standing
    await _put(tx, _PERSON, standing.name, standing.version, standing.model_dump(mode="json"))


async def _client(tx: Transaction, _envelope: Envelope, event: ClientChanged) -> None:
    await _put(tx, _CLIENT, event.name, event.version, event.model_dump(mode="json"))


async def _key(tx: Transaction, _envelope: Envelope, event: KeyEvent) -> None:
    await _put(tx, _KEY, event.digest, event.version, event.model_dump(mode="json"))


async def _session(tx: Transaction, _envelope: Envelope, event: SessionEnded) -> None:
    await _put(tx, _SESSION, event.session, 1, {"until": event.until.isoformat()})


async def _revoked(tx: Transaction, _envelope: Envelope, event: AccessRevoked) -> None:
    data = {"issued_until": event.issued_until.isoformat(), "until": event.until.isoformat()}
    await _put(tx, _REVOKED, event.name, int(event.issued_until.timestamp() * 1_000_000), data)


EFFECTS: Mapping[type[Event], Effect] = {
    OrgChanged: _unit,
    StaffJoined: _person,
    StaffMoved: _person,
    StaffChanged: _person,
    StaffLeaving: _person,
    StaffLeft: _person,
    ClientChanged: _client,
    KeyIssued: _key,
    KeyChanged: _key,
    KeyRevoked: _key,
    SessionEnded: _session,
    AccessRevoked: _revoked,
}
"""What the roster's consumer does with each event."""


async def forget_ended(tx: Transaction, now: datetime) -> int:
    """Drop revocations of tokens that have all expired by now; how many. A job."""
    return await tx.execute(_FORGET, now)


@dataclass(frozen=True, slots=True)
class Client:
    """A partner's system or a service of the suite."""

    kind: str
    unit: str
    roles: tuple[str, ...]
    active: bool


@dataclass(frozen=True, slots=True)
class _Ended:
    """Tokens taken back, in POSIX seconds: issued up to a moment, and all expired by `until`."""

    issued_until: float = float("inf")
    until: float = float("inf")

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> _Ended:
        until = datetime.fromisoformat(data["until"]).timestamp()
        return cls(datetime.fromisoformat(data.get("issued_until", data["until"])).timestamp(), until)


class Roster:
    """The copy in memory. `serial` rises with each change.

    `is_whole`: it holds all that was on the bus when it began. `read_at`: when it was last up to date (monotonic, s).
    """

    def __init__(self) -> None:
        self.serial = 0
        self.is_whole = False
        self.read_at = float("-inf")
        self.people: dict[str, Standing] = {}
        self.clients: dict[str, Client] = {}
        self.keys = Keyring()
        self._parents: dict[str, str | None] = {}
        self._below: dict[str, frozenset[str]] = {}
        self._tree_serial = 0
        self._serials: dict[str, int] = {}
        self._ended: dict[str, _Ended] = {}
        self._revoked: dict[str, _Ended] = {}

    def is_usable(self) -> bool:
        """Whether it knows everybody, and hears of changes."""
        return self.is_whole and time.monotonic() - self.read_at < _STALE_S

    def take(self, rows: Iterable[Row]) -> None:
        """Take rows of the table in, in order of their serial. One that cannot be read takes away what it is about."""
        for row in rows:
            kind, key, self.serial = row["kind"], row["id"], row["serial"]
            try:
                self._know(kind, key, row["data"], row["serial"])
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                self._forget(kind, key, row["serial"])
                log(part="roster").error(
                    "roster_row_unreadable", kind=kind, row=row["serial"], error=type(error).__name__
                )

    def _know(self, kind: str, key: str, data: Mapping[str, Any], serial: int) -> None:
        match kind:
            case "unit":
                self._parents[key] = data["parent"]
                self._below, self._tree_serial = {}, serial
            case "person":
                standing = Standing.model_validate(data)
                for clearance in (standing.clearance, *(each.clearance for each in standing.held)):
                    _level(clearance)  # one of a level that we do not know is no row that we can read
                self.people[key] = standing
                self._serials[key] = serial
            case "client":
                self.clients[key] = Client(data["kind"], data["unit"] or "", tuple(data["roles"]), data["active"])
                self._serials[key] = serial
            case "key":
                found = Key.of(data)
                self.keys.take(found)
                self._serials[found.client] = serial
            case "session":
                self._ended[key] = _Ended.of(data)
            case "revoked":
                self._revoked[key] = _Ended.of(data)

    def _forget(self, kind: str, key: str, serial: int) -> None:
        match kind:
            case "unit":
                self._parents.pop(key, None)
                self._below, self._tree_serial = {}, serial
            case "person" | "client":
                (self.people if kind == "person" else self.clients).pop(key, None)
                self._serials[key] = serial
            case "key":
                self.keys.drop(key)
            case "session" | "revoked":
                (self._ended if kind == "session" else self._revoked)[key] = _Ended()

    def forget_ended(self, at: float) -> None:
        """Drop revocations of tokens that have all expired by a moment (POSIX seconds)."""
        for known in (self._ended, self._revoked):
            for key in [each for each, ended in known.items() if ended.until < at]:
                del known[key]

    def serial_of(self, name: str) -> int:
        """When it was last said where somebody stands: the serial of their own row, or of the tree's last one."""
        return max(self._tree_serial, self._serials.get(name, 0))

    def below(self, unit: str) -> frozenset[str]:
        """A unit and all units under it, however deep; the same set as long as the tree stands."""
        found = self._below.get(unit)
        if found is None:
            children: dict[str | None, list[str]] = {}
            for each, parent in self._parents.items():
                children.setdefault(parent, []).append(each)
            reached, waiting = {unit}, [unit]
            while waiting:
                fresh = [each for each in children.get(waiting.pop(), ()) if each not in reached]
                reached.update(fresh)
                waiting += fresh
            found = self._below[unit] = frozenset(reached)
        return found

    def is_revoked(self, name: str, session: str | None, issued_at: float) -> bool:
        """Whether a token was taken back: its sign-in ended, or all of the name's tokens up to then were."""
        revoked = self._revoked.get(name)
        return session in self._ended or (revoked is not None and issued_at <= revoked.issued_until)


def holdings(standing: Standing, today: date) -> list[Holding]:
    """The roles that a person holds on a day; none before the first day and after the last."""
    if not is_in_service(standing, today):
        return []
    return [
        Holding(held.role, held.unit, held.deputy_for, _level(held.clearance))
        for held in standing.held
        if held.from_on <= today and (held.until_on is None or today <= held.until_on)
    ]


def _level(clearance: str | None) -> Secrecy | None:
    return None if clearance is None else Secrecy(clearance)


def is_in_service(standing: Standing, today: date) -> bool:
    """Whether a person works here on a day, whatever events are still under way."""
    if standing.state == "left" or today < standing.first_day:
        return False
    return standing.last_day is None or today <= standing.last_day


class Follower:
    """Keeps a roster in memory up to date with the table, in the background of an api.

    `consumer` is the one that fills the table, in this process or another.
    """

    def __init__(self, database: Database, roster: Roster, consumer: Consumer, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._roster = roster
        self._consumer = consumer
        self._poll_s = poll_s
        self._begun_at: Mapping[Partition, Watermark] | None = None
        self._turn = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take in all that is there, then follow."""
        await self._refresh()
        self._tasks = [asyncio.create_task(each) for each in (self._follow(), self._catch_up())]

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop`; a loop of a worker that must know who may what."""
        delay = self._poll_s
        while not stop.is_set() and not self._tasks:
            try:
                await self.start()
            except Exception as error:
                _note("roster_waits", error)
                await asyncio.sleep(delay)
                delay = min(max(delay, 0.1) * 2, _LAST_DELAY_S)
        await stop.wait()
        await self.stop()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _refresh(self) -> None:
        async with self._turn, self._database.reading() as tx:
            self._roster.take(await tx.fetch(_AFTER, self._roster.serial))
        self._roster.read_at = time.monotonic()
        self._roster.forget_ended(now().timestamp())

    async def _follow(self) -> None:
        delay = self._poll_s
        while True:
            await asyncio.sleep(delay)
            try:
                await self._refresh()
                delay = self._poll_s
            except Exception as error:
                # What is known stays in force while the database is away; then it is caught up with.
                _note("roster_waits", error)
                delay = min(max(delay, 0.1) * 2, _LAST_DELAY_S)

    async def _catch_up(self) -> None:
        """Until the roster is whole; apart from following, which the bus does not hold up."""
        while not self._roster.is_whole:
            await asyncio.sleep(self._poll_s)
            try:
                if await self._has_caught_up():
                    await self._refresh()
                    self._roster.is_whole = True
            except Exception as error:
                _note("roster_not_whole", error)
                await asyncio.sleep(_UNKNOWN_DELAY_S)

    async def _has_caught_up(self) -> bool:
        """Whether the table holds what the bus held when the first row was there: an empty table knows nobody."""
        if not self._roster.serial:
            return False
        if self._begun_at is None:
            self._begun_at = await self._consumer.ends()
        return await self._consumer.has_read(self._begun_at)


def _note(what: str, error: Exception) -> None:
    log(part="roster").log(30 if is_passing(error) else 40, what, error=type(error).__name__)
