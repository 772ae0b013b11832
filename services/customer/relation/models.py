"""Tables of relations. One stands in the file of `customer_id` and says what the other side is to that customer.

Days and shares are plain; who somebody outside is, is sealed under the customer's key.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

RELATION = Table(
    "relation",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False, comment="in whose file it stands"),
    Column("kind", Text, nullable=False, comment="what the other side is to the customer"),
    Column("other_id", Uuid, ForeignKey("customer.id"), comment="the other side, if a customer"),
    Column("party", Text, comment="person or company, if the other side is no customer"),
    Column("sealed", LargeBinary, comment="name and certificate of the party; the id is bound in; none once erased"),
    Column("share", Numeric(7, 4), comment="percent"),
    Column("since", Date),
    Column("ended_on", Date, comment="its last day"),
    Column("version", Integer, nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False),
    Column("added_by", Text, nullable=False),
    CheckConstraint("(other_id IS NULL) <> (party IS NULL)", name="relation_has_one_other_side"),
    CheckConstraint("other_id <> customer_id", name="relation_is_of_two"),
    Index("relation_by_customer", "customer_id", "id"),
    Index("relation_by_other", "other_id", "id"),
    comment="relations of customers, with customers and with others",
)

RELATION_EVENT = Table(
    "relation_event",
    METADATA,
    Column("relation_id", Uuid, ForeignKey("relation.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("type", Text, nullable=False, comment="event type, as published"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("facts", JSONB, nullable=False, comment="kind, share and days as they were then"),
    comment="what happened to relations, for timelines",
)
