"""Identifiers: UUID version 7 (RFC 9562), so that ids sort by time and a month can be read off an id."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A fresh UUIDv7; monotonic within a process."""
    return UUID(int=uuid_utils.uuid7().int)


def parse_id(text: str) -> UUID | None:
    """The UUID in `text`, or None if it is not one in canonical spelling (no upper case, no braces)."""
    try:
        value = UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
    return value if str(value) == text else None


def time_of(value: UUID) -> datetime | None:
    """The moment inside a UUIDv7, or None for any other version."""
    if value.version != 7:
        return None
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)


def first_id_at(moment: datetime) -> UUID:
    """The lowest UUID that sorts with the ids of this moment; every UUIDv7 made earlier is lower."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
