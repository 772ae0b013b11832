"""Table of overrides."""

from sqlalchemy import Column, Date, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

_IS_OPEN = text("state IN ('proposed', 'in_force')")

GRADE_OVERRIDE = Table(
    "grade_override",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("grade", Text, nullable=False),
    Column("expires_on", Date, nullable=False, comment="its last day"),
    Column("state", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("decide_until", DateTime(timezone=True), nullable=False),
    Column("agreed", JSONB, nullable=False, comment="[{step, by, at}]"),
    Column("ended_by", Text),
    Column("ended_at", DateTime(timezone=True)),
    Column("reason_event", Uuid, nullable=False),
    Column("reason", LargeBinary, nullable=False, comment="sealed under the subject's key"),
    Column("end_event", Uuid),
    Column("end_reason", LargeBinary, comment="why it was refused or lifted; sealed likewise"),
    Column("version", Integer, nullable=False),
    Index("grade_override_open", "customer_id", unique=True, postgresql_where=_IS_OPEN),
    Index("grade_override_by_customer", "customer_id", "id"),
    Index("grade_override_waiting", "decide_until", "id", postgresql_where=text("state = 'proposed'")),
    Index("grade_override_due", "expires_on", postgresql_where=_IS_OPEN),
    comment="grades that people set, one open a customer",
)
