"""Tables of dealings: purchases by month, violations one by one. Fed by other systems; `source_id` is theirs.

Whose they are and whom the feed names differ once files were merged: a correction under the former file stays with the
file that has them now.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from services.customer.tables import METADATA

PURCHASE = Table(
    "purchase",
    METADATA,
    Column("source_id", Text, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False, comment="whose it is"),
    Column("recorded_for", Uuid, ForeignKey("customer.id"), nullable=False, comment="whom the feed names"),
    Column("month", Date, nullable=False, comment="its first day"),
    Column("quantity", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("varieties", Integer, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("orders_planned", Integer, nullable=False),
    Column("payments_late", Integer, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("recorded_by", Text, nullable=False),
    UniqueConstraint("recorded_for", "month"),
    Index("purchase_by_customer", "customer_id", "month"),
    comment="what a customer bought in a month",
)

VIOLATION = Table(
    "violation",
    METADATA,
    Column("source_id", Text, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False, comment="whose it is"),
    Column("recorded_for", Uuid, ForeignKey("customer.id"), nullable=False, comment="whom the feed names"),
    Column("found_on", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("withdrawn", Boolean, nullable=False, comment="quashed: counts no more"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("violation_by_customer", "customer_id", "found_on"),
    comment="violations established against a customer",
)
