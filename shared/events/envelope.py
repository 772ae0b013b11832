"""The envelope of every event: CloudEvents 1.0 attributes, carried in Kafka binary mode (`ce_*` headers).

`source` is the producing feature ("/customer/file"), `subject` the aggregate ("customer/<id>"), `sequence` the
aggregate's version within that source: (source, subject, sequence) names a fact once. Facts without a version (a
refusal, a sign-in) have no sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.bus import Delivery
from shared.bus.transport import Headers

PRODUCERS = ("identity", "customer", "reporting", "audit", "notify", "console")
"""The services; each publishes on a topic of its own."""


class Undecodable(ValueError):
    """The bytes are not an event that we know how to read; says what is wrong, quotes no content."""


class Event(BaseModel):
    """A fact in the past tense; subclasses are declared once, one module per producer, and never change once published.

    Readers ignore members that they do not know, so that an optional one can be added.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    schema_version: ClassVar[int] = 1
    producers: ClassVar[tuple[str, ...]]
    shown_by: ClassVar[Mapping[str, str]] = {}
    """Members that tell a value of the subject, each with the action that shows it; whoever shows or tells an event to
    people leaves them out for those who may not do that with the subject's `unit` and `manager`. The rest is ids,
    codes and counts."""


class RegimeRef(BaseModel):
    """Which text of a declared measure a result was made with: id, version (its effective_from day), SHA-256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: str
    hash: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """CloudEvents context attributes; `actor` (who caused it) and `traceparent` are extensions."""

    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    partitionkey: str
    actor: str
    dataschema: str
    sequence: int | None = None
    traceparent: str | None = None

    def headers(self) -> Headers:
        """Kafka headers of the binary content mode."""
        pairs = [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(self.id).encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_time", self.time.isoformat().encode()),
            ("ce_dataschema", self.dataschema.encode()),
            ("ce_partitionkey", self.partitionkey.encode()),
            ("ce_actor", self.actor.encode()),
            ("content-type", b"application/json"),
        ]
        if self.sequence is not None:
            pairs.append(("ce_sequence", str(self.sequence).encode()))
        if self.traceparent is not None:
            pairs.append(("ce_traceparent", self.traceparent.encode()))
        return tuple(pairs)

    @classmethod
    def of(cls, delivery: Delivery) -> Envelope:
        """Read the envelope back; Undecodable if an attribute is missing or malformed."""
        try:
            found = delivery.attributes
            sequence = found.get("ce_sequence")
            envelope = cls(
                id=UUID(found["ce_id"]),
                source=found["ce_source"],
                type=found["ce_type"],
                subject=found["ce_subject"],
                time=datetime.fromisoformat(found["ce_time"]),
                partitionkey=found["ce_partitionkey"],
                actor=found["ce_actor"],
                dataschema=found["ce_dataschema"],
                sequence=None if sequence is None else int(sequence),
                traceparent=found.get("ce_traceparent"),
            )
        except KeyError as missing:
            raise Undecodable(f"the event has no {missing.args[0]}") from missing
        except ValueError as problem:
            raise Undecodable(f"an attribute is malformed ({type(problem).__name__})") from problem
        if envelope.time.tzinfo is None:
            raise Undecodable("ce_time has no offset")
        return envelope


def attributes_of(envelope: Envelope) -> dict[str, Any]:
    """The attributes as plain JSON values, in CloudEvents' names."""
    plain: dict[str, Any] = {name[3:]: value.decode() for name, value in envelope.headers() if name.startswith("ce_")}
    if envelope.sequence is not None:
        plain["sequence"] = envelope.sequence
    return plain
