"""Tables of contacts: one row each for lists, and every version of what was said of it."""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

_STANDS = text("visit AND NOT withdrawn")
_FLAGGED = text("flagged")

CONTACT = Table(
    "contact",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("kind", Text, nullable=False, comment="a declared way of contact"),
    Column("held_at", DateTime(timezone=True), nullable=False),
    Column("visit", Boolean, nullable=False, comment="it counts as a visit"),
    Column("flagged", Boolean, nullable=False, comment="something was not as the rules say"),
    Column("withdrawn", Boolean, nullable=False, comment="there was no such contact"),
    Column("by_unit", Text, nullable=False, comment="the department of whoever recorded it"),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("version", Integer, nullable=False),
    Index("contact_by_customer", "customer_id", "held_at", "id"),
    Index("contact_by_time", "held_at", "id"),
    Index("contact_flagged", "held_at", "id", postgresql_where=_FLAGGED),
    Index("contact_visit", "customer_id", "held_at", postgresql_where=_STANDS),
    comment="contacts of staff with customers, as they stand now",
)

CONTACT_VERSION = Table(
    "contact_version",
    METADATA,
    Column("contact_id", Uuid, ForeignKey("contact.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False, comment="event type, as published"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("facts", JSONB, nullable=False, comment="rules.Facts: nothing personal of the customer"),
    Column(
        "sealed", LargeBinary, nullable=False, comment="showing.Words under the subject's key; the event id is bound in"
    ),
    comment="what was said of each contact, from its first version on; nothing is ever taken away",
)
