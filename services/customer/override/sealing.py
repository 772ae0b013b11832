"""Reasons of overrides under the data key of the customer."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from services.customer.override.rules import Override
from shared.sealing import KeyRing, WrappedKey


def seal(ring: KeyRing, key: WrappedKey, customer_id: UUID, event_id: UUID, reason: str) -> bytes:
    """A reason as it rests here and stands in its event."""
    return ring.seal(key, str(customer_id), event_id, {"reason": {"after": reason}})


def opened(ring: KeyRing, key: WrappedKey, override: Override) -> Iterator[str | None]:
    """Why it was proposed, and why it was refused or lifted."""
    subject = str(override.customer_id)
    for event_id, sealed in ((override.reason_event, override.reason), (override.end_event, override.end_reason)):
        if event_id is None or sealed is None:
            yield None
        else:
            yield ring.open(key, subject, event_id, sealed)["reason"]["after"]


def sealed_anew(
    ring: KeyRing, override: Override, key: WrappedKey, target: UUID, target_key: WrappedKey
) -> tuple[bytes, bytes | None]:
    """The same reasons under the key of another customer."""
    why, end = opened(ring, key, override)
    event_id = override.end_event
    fresh = None if end is None or event_id is None else seal(ring, target_key, target, event_id, end)
    return seal(ring, target_key, target, override.reason_event, why or ""), fresh
