"""Tables of simulations; both are emptied as results expire."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

SIMULATION = Table(
    "simulation",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("policy", Text, nullable=False, comment="id of the definition"),
    Column("kind", Text, nullable=False, comment="kind of customer"),
    Column("wording", JSONB, nullable=False),
    Column("sample", SmallInteger, nullable=False, comment="percent of the customers"),
    Column("everything", Boolean, nullable=False, comment="the scope reaches every unit"),
    Column("units", ARRAY(Text), nullable=False),
    Column("names", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("checked", Integer, nullable=False),
    Column("last_id", Uuid, comment="customers up to here are checked"),
    Column("counts", JSONB, nullable=False, comment='{"before>after": customers}'),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("simulation_running", "id", postgresql_where=text("state = 'running'")),
    Index("simulation_by_expiry", "expires_at"),
    comment="grade policies tried out",
)

SIMULATED_MOVE = Table(
    "simulated_move",
    METADATA,
    Column("simulation_id", Uuid, ForeignKey("simulation.id", ondelete="CASCADE"), primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("before", Text),
    Column("after", Text),
    comment="customers who would get another grade",
)
