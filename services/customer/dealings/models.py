"""Tables of dealings: purchases by month, violations one by one. Fed by other systems; `source_id` is theirs."""

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, ForeignKey, Index, Integer, Table, Text, Uuid

from services.customer.tables import METADATA

PURCHASE = Table(
    "purchase",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("month", Date, primary_key=True, comment="its first day"),
    Column("source_id", Text, nullable=False, unique=True),
    Column("quantity", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("varieties", Integer, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("orders_planned", Integer, nullable=False),
    Column("payments_late", Integer, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("recorded_by", Text, nullable=False),
    comment="what a customer bought in a month",
)

VIOLATION = Table(
    "violation",
    METADATA,
    Column("source_id", Text, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("found_on", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("withdrawn", Boolean, nullable=False, comment="quashed: counts no more"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("violation_by_customer", "customer_id", "found_on"),
    comment="violations established against a customer",
)
