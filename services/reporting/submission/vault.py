"""Sealing of what submissions quote: each has a data key of its own, wrapped by the service's key-encryption key.

Destroying a submission's key (kek and wrapped set to NULL) erases its content and findings wherever they are copied.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from services.reporting.submission import errors
from shared.sealing import KeyRing, WrappedKey


class Part(StrEnum):
    """What is sealed apart; a sealed part cannot be passed off as another one, or as one of another submission."""

    CONTENT = "content"
    FIGURES = "figures"
    FINDINGS = "findings"


class Vault:
    """Seals and opens parts of submissions."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def new_key(self, submission_id: UUID) -> WrappedKey:
        """A fresh key for a submission."""
        return self._ring.new_key(_subject(submission_id))

    def seal(self, key: WrappedKey, submission_id: UUID, part: Part, content: bytes, number: int = 0) -> bytes:
        """Seal one part, or its `number`-th page."""
        return self._ring.seal_bytes(key, _subject(submission_id), _name(submission_id, part, number), content)

    def open(self, row: Mapping[str, Any], part: Part, sealed: bytes, number: int = 0) -> bytes:
        """A part sealed under the key of `row` (id, kek, wrapped). Raises: NotFound (content_erased)"""
        if row["kek"] is None:
            raise errors.erased()
        key, submission_id = WrappedKey(row["kek"], row["wrapped"]), row["id"]
        return self._ring.open_bytes(key, _subject(submission_id), _name(submission_id, part, number), sealed)

    @property
    def active_kek(self) -> str:
        """The key-encryption key that wraps new keys."""
        return self._ring.active

    def rewrap(self, row: Mapping[str, Any]) -> WrappedKey:
        """The key of `row` under the active key-encryption key."""
        return self._ring.rewrap(WrappedKey(row["kek"], row["wrapped"]), _subject(row["id"]))


def _subject(submission_id: UUID) -> str:
    return f"submission/{submission_id}"


def _name(submission_id: UUID, part: Part, number: int) -> UUID:
    return uuid5(submission_id, f"{part}/{number}")
