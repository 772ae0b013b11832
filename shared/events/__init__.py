"""Every event of the suite, declared once; producers and consumers import the same classes (docs/events.md)."""

from shared.events.access import AccessRefused, ClassifiedRead, DeadLetterHandled
from shared.events.customer import (
    CustomerChanged,
    CustomerRegistered,
    DealingsRecorded,
    GradeChanged,
    SubjectKeyDestroyed,
)
from shared.events.envelope import Envelope, Event, RegimeRef, Undecodable, attributes_of
from shared.events.identity import SignedIn, SignInFailed, SigningKeyRotated
from shared.events.notify import MessageDelivered
from shared.events.reporting import ReportSubmitted

EVENTS: dict[str, type[Event]] = {
    event.type: event
    for event in (
        AccessRefused,
        ClassifiedRead,
        CustomerChanged,
        CustomerRegistered,
        DeadLetterHandled,
        DealingsRecorded,
        GradeChanged,
        MessageDelivered,
        ReportSubmitted,
        SignInFailed,
        SignedIn,
        SigningKeyRotated,
        SubjectKeyDestroyed,
    )
}

PRODUCERS = ("identity", "customer", "reporting", "audit", "notify")
"""The services that publish; each has one topic."""


def topic_of(prefix: str, producer: str) -> str:
    """The topic of a producer."""
    return f"{prefix}.{producer}"


__all__ = [
    "EVENTS",
    "PRODUCERS",
    "AccessRefused",
    "ClassifiedRead",
    "CustomerChanged",
    "CustomerRegistered",
    "DeadLetterHandled",
    "DealingsRecorded",
    "Envelope",
    "Event",
    "GradeChanged",
    "MessageDelivered",
    "RegimeRef",
    "ReportSubmitted",
    "SignInFailed",
    "SignedIn",
    "SigningKeyRotated",
    "SubjectKeyDestroyed",
    "Undecodable",
    "attributes_of",
    "topic_of",
]
