"""Tables of registration forms.

A form has the id that its customer gets, and a data key of its own: on approval the key goes to the customer's row in
`subject_key`, on deletion it is gone with the form. What somebody wrote is sealed under it.
"""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

REGISTRATION = Table(
    "registration",
    METADATA,
    Column("id", Uuid, primary_key=True, comment="also of the customer to be"),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("proposer", Text, nullable=False, comment="directory name of who puts it forward"),
    Column("created_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("round", Integer, nullable=False, comment="how often it was handed in"),
    Column("submitted_at", DateTime(timezone=True), comment="while it waits: since when"),
    Column("expires_at", DateTime(timezone=True), comment="while it waits: until when"),
    Column("items", ARRAY(Text), nullable=False, comment="codes of the items that are filled in"),
    Column("staff", ARRAY(Text), nullable=False, comment="directory names of who is in contact with the customer"),
    Column("kek", Text, comment="name of the key that wraps the form's; none once it is the customer's"),
    Column("wrapped", LargeBinary),
    Column("customer_id", Uuid, ForeignKey("customer.id"), comment="whose key opens it, once approved"),
    Column("sealed_by", Uuid, nullable=False, comment="bound into `sealed`"),
    Column("sealed", LargeBinary, nullable=False, comment="{code: value} as given, under the form's key"),
    CheckConstraint("state IN ('draft', 'submitted', 'returned', 'approved')", name="registration_state"),
    CheckConstraint(
        "(state = 'approved') = (customer_id IS NOT NULL) AND (customer_id IS NULL) = (wrapped IS NOT NULL)"
        " AND (kek IS NULL) = (wrapped IS NULL)",
        name="registration_key",
    ),
    CheckConstraint("(state = 'submitted') = (submitted_at IS NOT NULL)", name="registration_waits"),
    Index("registration_by_unit", "unit", "id"),
    Index("registration_by_proposer", "proposer", "id"),
    Index("registration_by_customer", "customer_id"),
    Index("registration_by_kek", "kek", "id"),
    Index("registration_waiting", "unit", "submitted_at", "id", postgresql_where=text("state = 'submitted'")),
    Index("registration_lapsing", "expires_at", postgresql_where=text("state = 'submitted'")),
    comment="registration forms",
)

REGISTRATION_ROUND = Table(
    "registration_round",
    METADATA,
    Column("registration", Uuid, ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("submitted_by", Text, nullable=False),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("important", Boolean, nullable=False, comment="whether the customer is, as the form was handed in"),
    Column("approval", JSONB, nullable=False, comment="{id, version, hash} of the procedure"),
    Column("outcome", Text),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_by", Text),
    Column("items", ARRAY(Text), nullable=False, comment="codes of the items that reasons are about"),
    Column("sealed_by", Uuid, comment="bound into `sealed`"),
    Column("sealed", LargeBinary, comment="{reason, items: {code: reason}} under the form's key"),
    CheckConstraint("outcome IN ('approved', 'returned', 'withdrawn', 'lapsed')", name="registration_round_outcome"),
    CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name="registration_round_closed"),
    comment="each time that a form was handed in, and what came of it",
)

REGISTRATION_AGREED = Table(
    "registration_agreed",
    METADATA,
    Column("registration", Uuid, ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("actor", Text, primary_key=True, comment="nobody agrees twice"),
    Column("step", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    comment="who agreed to which step of an approval",
)

REGISTRATION_HAND = Table(
    "registration_hand",
    METADATA,
    Column("registration", Uuid, ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("action", Text, primary_key=True, comment="what they did to the form, as an action is called"),
    comment="whose hands a form has been in: none of them approves it",
)
