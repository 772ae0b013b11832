"""Every event of the suite, declared once; producers and consumers import the same classes (docs/events.md)."""

from shared.events.access import AccessRefused, ClassifiedRead, DeadLetterHandled
from shared.events.custody import (
    CustodyChangedOver,
    CustodyConfirmed,
    CustodyExpired,
    CustodyProposed,
    CustodyRefused,
    CustodyWithdrawn,
)
from shared.events.customer import (
    CustomerChanged,
    CustomerRegistered,
    DealingsRecorded,
    GradeChanged,
    SubjectKeyDestroyed,
)
from shared.events.directory import (
    AccessRevoked,
    ClientChanged,
    Held,
    OrgChanged,
    SessionEnded,
    StaffChanged,
    StaffJoined,
    StaffLeaving,
    StaffLeft,
    StaffMoved,
    Standing,
)
from shared.events.envelope import PRODUCERS, Envelope, Event, RegimeRef, Undecodable, attributes_of
from shared.events.identity import (
    Invited,
    LockChanged,
    PasswordChanged,
    SecondFactorChanged,
    SignedIn,
    SignedOut,
    SignInFailed,
    SigningKeyRotated,
)
from shared.events.notify import MessageDelivered
from shared.events.partner import KeyChanged, KeyIssued, KeyRefused, KeyRevoked, KeyUsed
from shared.events.relation import RelationAdded, RelationChanged, RelationEnded
from shared.events.reporting import ReportSubmitted
from shared.events.subject import SubjectDisclosed

EVENTS: dict[str, type[Event]] = {
    event.type: event
    for event in (
        AccessRefused,
        AccessRevoked,
        ClassifiedRead,
        ClientChanged,
        CustodyChangedOver,
        CustodyConfirmed,
        CustodyExpired,
        CustodyProposed,
        CustodyRefused,
        CustodyWithdrawn,
        CustomerChanged,
        CustomerRegistered,
        DeadLetterHandled,
        DealingsRecorded,
        GradeChanged,
        Invited,
        KeyChanged,
        KeyIssued,
        KeyRefused,
        KeyRevoked,
        KeyUsed,
        LockChanged,
        MessageDelivered,
        OrgChanged,
        PasswordChanged,
        RelationAdded,
        RelationChanged,
        RelationEnded,
        ReportSubmitted,
        SecondFactorChanged,
        SessionEnded,
        SignInFailed,
        SignedIn,
        SignedOut,
        SigningKeyRotated,
        StaffChanged,
        StaffJoined,
        StaffLeaving,
        StaffLeft,
        StaffMoved,
        SubjectDisclosed,
        SubjectKeyDestroyed,
    )
}


def topic_of(prefix: str, producer: str) -> str:
    """The topic of a producer."""
    return f"{prefix}.{producer}"


__all__ = [
    "EVENTS",
    "PRODUCERS",
    "AccessRefused",
    "AccessRevoked",
    "ClassifiedRead",
    "ClientChanged",
    "CustodyChangedOver",
    "CustodyConfirmed",
    "CustodyExpired",
    "CustodyProposed",
    "CustodyRefused",
    "CustodyWithdrawn",
    "CustomerChanged",
    "CustomerRegistered",
    "DeadLetterHandled",
    "DealingsRecorded",
    "Envelope",
    "Event",
    "GradeChanged",
    "Held",
    "Invited",
    "KeyChanged",
    "KeyIssued",
    "KeyRefused",
    "KeyRevoked",
    "KeyUsed",
    "LockChanged",
    "MessageDelivered",
    "OrgChanged",
    "PasswordChanged",
    "RegimeRef",
    "RelationAdded",
    "RelationChanged",
    "RelationEnded",
    "ReportSubmitted",
    "SecondFactorChanged",
    "SessionEnded",
    "SignInFailed",
    "SignedIn",
    "SignedOut",
    "SigningKeyRotated",
    "StaffChanged",
    "StaffJoined",
    "StaffLeaving",
    "StaffLeft",
    "StaffMoved",
    "Standing",
    "SubjectDisclosed",
    "SubjectKeyDestroyed",
    "Undecodable",
    "attributes_of",
    "topic_of",
]
