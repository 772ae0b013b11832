"""Dead letters: events that a consumer could not apply, parked as rows in the consumer's own database.

Parked in the transaction that moves the offset (shared.inbox); replayed for that one group only, with the same event
id, so that no other group sees the event again. Operations staff list, replay and discard them
(shared.web.operations).
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import PurePath
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)

from shared.bus import Delivery, pack_headers, unpack_headers
from shared.db import Database, Record, Transaction, Work, is_passing
from shared.errors import Conflict, NotFound
from shared.events import Envelope, Undecodable
from shared.ids import new_id

_INSERT = """
INSERT INTO dead_letter (id, consumer_group, topic, partition, position, event_id, type, subject, key, value, headers,
  error, fingerprint)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (consumer_group, topic, partition, position) DO UPDATE
SET attempts = dead_letter.attempts + 1, last_failed_at = now(), error = excluded.error,
    fingerprint = excluded.fingerprint
"""
_GET = "SELECT * FROM dead_letter WHERE id = $1"
_FAILED_AGAIN = """
UPDATE dead_letter SET attempts = attempts + 1, last_failed_at = now(), error = $2, fingerprint = $3 WHERE id = $1
"""
_LOCK = "SELECT * FROM dead_letter WHERE id = $1 FOR UPDATE"


def dead_letter_table(metadata: MetaData) -> Table:
    """The table of parked events."""
    return Table(
        "dead_letter",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("consumer_group", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("partition", SmallInteger, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("event_id", Uuid, comment="none if the envelope itself cannot be read"),
        Column("type", Text),
        Column("subject", Text),
        Column("key", LargeBinary, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("headers", LargeBinary, nullable=False),
        Column("error", Text, nullable=False, comment="class of the error; never its text, which may quote values"),
        Column("fingerprint", Text, nullable=False, comment="equal for the same fault at the same place"),
        Column("attempts", Integer, nullable=False, server_default="1"),
        Column("first_failed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("last_failed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        UniqueConstraint("consumer_group", "topic", "partition", "position"),
        comment="events that a group could not apply",
    )


async def park(tx: Transaction, group: str, each: Delivery, error: BaseException) -> None:
    """Keep an event that could not be applied."""
    named: tuple[UUID | None, str | None, str | None] = (None, None, None)
    with suppress(Undecodable):
        envelope = Envelope.of(each)
        named = (envelope.id, _storable(envelope.type), _storable(envelope.subject))
    await tx.execute(
        _INSERT,
        new_id(),
        group,
        each.topic,
        each.partition,
        each.position,
        *named,
        each.key,
        each.value,
        pack_headers(each.headers),
        type(error).__name__,
        fingerprint(error),
    )


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL in a text; the headers are parked byte by byte anyway."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def fingerprint(error: BaseException) -> str:
    """A short name of a fault: error class and the innermost line of ours; equal faults group together."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if {"shared", "services"} & set(PurePath(frame.filename).parts)]
    where = f"{PurePath(ours[-1].filename).name}:{ours[-1].name}" if ours else "?"
    return (
        hashlib.sha256(f"{type(error).__qualname__} {where}".encode()).hexdigest()[:12]
        + f" {type(error).__name__} {where}"
    )


async def list_letters(tx: Transaction, *, before: UUID | None, limit: int) -> list[Record]:
    """A page, newest first."""
    return await tx.fetch(
        "SELECT id, consumer_group, topic, partition, position, event_id, type, subject, error, fingerprint, attempts,"
        " first_failed_at, last_failed_at FROM dead_letter WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
        before,
        limit,
    )


async def get_letter(tx: Transaction, letter_id: UUID, *, lock: bool = False) -> Record:
    """One dead letter; NotFound if there is none."""
    row = await tx.fetchrow(_LOCK if lock else _GET, letter_id)
    if row is None:
        raise NotFound("no_such_dead_letter", "It was replayed or discarded already, or never was here.")
    return row


async def discard(tx: Transaction, letter_id: UUID) -> Record:
    """Give an event up; the caller records who did so."""
    row = await get_letter(tx, letter_id, lock=True)
    await tx.execute("DELETE FROM dead_letter WHERE id = $1", letter_id)
    return row


async def replay(
    database: Database,
    letter_id: UUID,
    handlers: dict[str, Callable[[Transaction, Sequence[Delivery]], Awaitable[None]]],
    record: Callable[[Transaction, Record], Awaitable[None]],
) -> Record:
    """Apply a parked event once more, for its own group; it stays parked if it fails again.

    `record` writes, in the same transaction, who replayed it. Raises: NotFound; Conflict (still_failing or
    no_such_group).
    """
    async with Work(database, "redrive") as work:
        tx = await work.begin()
        row = await get_letter(tx, letter_id, lock=True)
        handle = handlers.get(row["consumer_group"])
        if handle is None:
            raise Conflict("no_such_group", "The consumer group of this event is no part of the service any more.")
        try:
            async with tx.savepoint():
                await handle(tx, [_delivery(row)])
        except Exception as error:
            if is_passing(error):
                raise
            await tx.execute(_FAILED_AGAIN, letter_id, type(error).__name__, fingerprint(error))
            await work.commit()
            raise Conflict("still_failing", f"The event fails as before ({fingerprint(error)}).") from error
        await tx.execute("DELETE FROM dead_letter WHERE id = $1", letter_id)
        await record(tx, row)
    return row


def _delivery(row: Record) -> Delivery:
    return Delivery(
        row["topic"], row["partition"], row["position"], row["key"], row["value"], unpack_headers(row["headers"])
    )
