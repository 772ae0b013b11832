"""SQL of attachments. A row of an attachment comes with its content of now, unless it says otherwise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Record, Transaction

_NOW = """
SELECT attachment.*, content.version AS content_version, format, size, sha256, content_id, event_id, sealed, at, actor
FROM attachment JOIN LATERAL (
  SELECT * FROM attachment_version WHERE attachment_id = attachment.id ORDER BY version DESC LIMIT 1
) content ON true
WHERE customer_id = $1
"""
_FIND = f"{_NOW} AND kind = $2 AND sha256 = $3 AND ended_at IS NULL ORDER BY attachment.id LIMIT 1"
_GET = f"{_NOW} AND attachment.id = $2"
_PAGE = f"""{_NOW} AND attachment.id < $2 AND ($3::text IS NULL OR kind = $3)
  AND ($4::boolean IS NULL OR (ended_at IS NOT NULL) = $4) ORDER BY attachment.id DESC LIMIT $5
"""
_ADD = "INSERT INTO attachment (id, customer_id, kind, secrecy, version) VALUES ($1, $2, $3, $4, 0)"
_STEP = "UPDATE attachment SET version = version + 1 WHERE id = $1 RETURNING version"
_ADD_VERSION = """
INSERT INTO attachment_version (attachment_id, version, format, size, sha256, content_id, event_id, sealed, at, actor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_END = "UPDATE attachment SET ended_at = $2, ended_by = $3, end_event = $4, end_reason = $5 WHERE id = $1"
_VERSIONS = """
SELECT version, format, size, sha256, content_id, event_id, sealed, at, actor FROM attachment_version
WHERE attachment_id = $1 ORDER BY version
"""
_LOCK = """
SELECT id, end_event, end_reason FROM attachment
WHERE customer_id = $1 AND ($2::uuid[] IS NULL OR id = ANY($2)) ORDER BY id FOR UPDATE
"""
_GIVE = "UPDATE attachment SET customer_id = $2, end_reason = $3 WHERE id = $1"
_GIVE_VERSION = "UPDATE attachment_version SET content_id = $3, sealed = $4 WHERE attachment_id = $1 AND version = $2"
_OBJECTS = """
SELECT content_id FROM attachment_version JOIN attachment ON attachment.id = attachment_id WHERE customer_id = $1
"""
_REMOVE_ALL = "DELETE FROM attachment WHERE customer_id = $1"
_HAPPENINGS = """
SELECT * FROM (
  SELECT attachment.id, content.version, kind, secrecy, format, at, actor FROM attachment
  JOIN attachment_version content ON attachment_id = attachment.id WHERE customer_id = $1
  UNION ALL
  SELECT id, version, kind, secrecy, NULL, ended_at, ended_by FROM attachment
  WHERE customer_id = $1 AND ended_at IS NOT NULL
) steps
WHERE at < $2 ORDER BY at DESC, id, version LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Content:
    """One version as it is stored."""

    format: str
    size: int
    sha256: bytes
    content_id: UUID
    event_id: UUID
    sealed: bytes
    at: datetime
    actor: str


async def find(tx: Transaction, customer_id: UUID, kind: str, sha256: bytes) -> Record | None:
    """The attachment of a kind that goes on and whose content was sent as just these bytes."""
    return await tx.fetchrow(_FIND, customer_id, kind, sha256)


async def get(tx: Transaction, customer_id: UUID, attachment_id: UUID) -> Record | None:
    """An attachment of this customer."""
    return await tx.fetchrow(_GET, customer_id, attachment_id)


async def page(
    tx: Transaction, customer_id: UUID, below: UUID, limit: int, kind: str | None = None, ended: bool | None = None
) -> list[Record]:
    """Attachments of a customer, newest first."""
    return await tx.fetch(_PAGE, customer_id, below, kind, ended, limit)


async def add(tx: Transaction, attachment_id: UUID, customer_id: UUID, kind: str, secrecy: str) -> None:
    """An attachment that has no content yet."""
    await tx.execute(_ADD, attachment_id, customer_id, kind, secrecy)


async def step(tx: Transaction, attachment_id: UUID) -> int:
    """Count a change; the number of the version that comes of it."""
    version: int = await tx.fetchval(_STEP, attachment_id)
    return version


async def add_version(tx: Transaction, attachment_id: UUID, version: int, content: Content) -> None:
    """Its content from now on."""
    kept = (content.format, content.size, content.sha256, content.content_id, content.event_id, content.sealed)
    await tx.execute(_ADD_VERSION, attachment_id, version, *kept, content.at, content.actor)


async def end(tx: Transaction, attachment_id: UUID, at: datetime, actor: str, event_id: UUID, reason: bytes) -> None:
    """It is over."""
    await tx.execute(_END, attachment_id, at, actor, event_id, reason)


async def versions(tx: Transaction, attachment_id: UUID) -> list[Record]:
    """Every content that it had, oldest first."""
    return await tx.fetch(_VERSIONS, attachment_id)


async def lock(tx: Transaction, customer_id: UUID, attachment_ids: Collection[UUID] | None) -> Sequence[Record]:
    """Attachments of a customer, all or these, locked."""
    return await tx.fetch(_LOCK, customer_id, None if attachment_ids is None else list(attachment_ids))


async def give(tx: Transaction, attachment_id: UUID, target: UUID, end_reason: bytes | None) -> None:
    """To another customer, with the reason as it is sealed for that one."""
    await tx.execute(_GIVE, attachment_id, target, end_reason)


async def give_version(tx: Transaction, attachment_id: UUID, version: int, content_id: UUID, sealed: bytes) -> None:
    """The object and the name of a version as they are sealed for another customer."""
    await tx.execute(_GIVE_VERSION, attachment_id, version, content_id, sealed)


async def remove_all(tx: Transaction, customer_id: UUID) -> list[UUID]:
    """Take all attachments of a customer away; the objects that they named."""
    objects = [row["content_id"] for row in await tx.fetch(_OBJECTS, customer_id)]
    await tx.execute(_REMOVE_ALL, customer_id)
    return objects


async def happenings(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """What happened last to attachments of a customer, newest first; an end has no format."""
    return await tx.fetch(_HAPPENINGS, customer_id, before, limit)
