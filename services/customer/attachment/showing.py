"""Attachments as a reader sees them. Opens what is sealed, as far as their sight of the file goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from services.customer.attachment.rules import MEDIA
from shared.auth import Sight
from shared.db import Record
from shared.regime import Attachment, Format, Regimes, Secrecy
from shared.sealing import KeyRing, WrappedKey

_SAME = ("id", "kind", "secrecy", "version", "ended_at", "ended_by")
NAME, REASON = "name", "reason"


class Showing:
    """Makes views of attachments."""

    def __init__(self, regimes: Regimes, ring: KeyRing) -> None:
        self._regimes = regimes
        self._ring = ring

    def level(self, row: Record, day: date) -> tuple[Secrecy, str] | None:
        """Level and class of an attachment; None if its kind is declared no more."""
        kind = self._regimes.find(Attachment, row["kind"], on=day)
        return None if kind is None else (Secrecy(row["secrecy"]), kind.field_class)

    def view(
        self, sight: Sight, customer_id: UUID, key: WrappedKey, row: Record, day: date,
        versions: Iterable[Record] = (),
    ) -> dict[str, Any]:  # fmt: skip
        """One attachment, and its contents if they are given."""
        level = self.level(row, day)
        seen = level is not None and sight.shows(*level)

        def content(each: Record, version: int) -> dict[str, Any]:
            return {
                "version": version, "media_type": MEDIA[Format(each["format"])], "size": each["size"],
                "sha256": each["sha256"].hex(), "kept_at": each["at"], "kept_by": each["actor"],
                "name": self.opened(key, customer_id, each["event_id"], each["sealed"], NAME) if seen else None,
            }  # fmt: skip

        return {
            **{name: row[name] for name in _SAME},
            "withheld": not seen,
            "end_reason": self.opened(key, customer_id, row["end_event"], row["end_reason"], REASON) if seen else None,
            "content": content(row, row["content_version"]),
            "versions": [content(each, each["version"]) for each in versions],
        }

    def seal(self, key: WrappedKey, customer_id: UUID, event_id: UUID, member: str, value: str) -> bytes:
        """A name or a reason as it rests here and stands in its event."""
        return self._ring.seal(key, str(customer_id), event_id, {member: {"after": value}})

    def opened(
        self, key: WrappedKey, customer_id: UUID, event_id: UUID | None, sealed: bytes | None, member: str
    ) -> str | None:
        """The inverse of `seal`; None if there is nothing."""
        if event_id is None or sealed is None:
            return None
        value: str = self._ring.open(key, str(customer_id), event_id, sealed)[member]["after"]
        return value
