"""Events, envelopes and deliveries with every member filled in; tests name only what they are about."""

import uuid
from datetime import UTC, datetime

from shared.bus import Delivery
from shared.events import DealingsRecorded, Envelope, Event

MOMENT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def dealings(customer: str = "c-1", *totals: str) -> DealingsRecorded:
    """A small event of a customer."""
    return DealingsRecorded(customer_id=customer, kind="retail", totals=totals or ("purchases",))


def envelope(event: Event, key: str = "c-1", *, sequence: int | None = None, actor: str = "staff/tester") -> Envelope:
    """The envelope of an event about customer `key`, with an id of its own."""
    return Envelope(
        id=uuid.uuid4(),
        source="/customer/file",
        type=event.type,
        subject=f"customer/{key}",
        time=MOMENT,
        partitionkey=key,
        actor=actor,
        dataschema=f"kehu:{event.type}:v{event.schema_version}",
        sequence=sequence,
    )


def delivery(
    envelope: Envelope, event: Event, *, position: int = 0, partition: int = 0, topic: str = "kehu.customer"
) -> Delivery:
    """The event as a consumer reads it."""
    value = event.model_dump_json().encode()
    return Delivery(topic, partition, position, envelope.partitionkey.encode(), value, envelope.headers())
