"""Tables of hand-overs."""

from sqlalchemy import Boolean, Column, Date, DateTime, ForeignKey, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

_IS_OPEN = text("state IN ('proposed', 'offered')")

HANDOVER = Table(
    "handover",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("unit", Text, nullable=False, comment="of the customers"),
    Column("predecessor", Text, nullable=False, comment="whose customers they are; a name of the directory"),
    Column("successor", Text, nullable=False),
    Column("reason", Text, nullable=False, comment="code of the list handover_reason"),
    Column("whole", Boolean, nullable=False, comment="all that the predecessor has in the unit when it is accepted"),
    Column("customers", Integer, nullable=False, comment="how many, by the last count"),
    Column("state", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("decide_until", DateTime(timezone=True), nullable=False),
    Column("agreed", JSONB, nullable=False, comment="[{step, by, at}]"),
    Column("accepted_by", Text),
    Column("accepted_at", DateTime(timezone=True)),
    Column("undo_until", DateTime(timezone=True)),
    Column("tell_by", Date, comment="the day by which the customers are told"),
    Column("late_told_at", DateTime(timezone=True), comment="when it was told that some were not"),
    Column("ended_by", Text),
    Column("ended_at", DateTime(timezone=True)),
    Column("end_reason", Text, comment="code of the list handover_end"),
    Column("version", Integer, nullable=False),
    Index("handover_whole", "predecessor", "unit", unique=True, postgresql_where=text(f"whole AND {_IS_OPEN.text}")),
    Index("handover_due", "decide_until", postgresql_where=_IS_OPEN),
    Index("handover_late", "tell_by", postgresql_where=text("state = 'accepted' AND late_told_at IS NULL")),
    Index("handover_by_unit", "unit", "id"),
    comment="who hands customers over to whom",
)

HANDOVER_CUSTOMER = Table(
    "handover_customer",
    METADATA,
    Column("handover_id", Uuid, ForeignKey("handover.id"), primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("is_open", Boolean, nullable=False, comment="named in a hand-over that is not decided yet"),
    Column("version", Integer, comment="of the file, by which it moved; none: it did not"),
    Column("undone_version", Integer, comment="by which it moved back; none: it did not"),
    Column("told_at", DateTime(timezone=True), comment="when the customer was told of the successor"),
    Column("told_by", Text),
    Column("channel", Text, comment="code of the list verification_channel"),
    Index("handover_customer_open", "customer_id", unique=True, postgresql_where=text("is_open")),
    Index("handover_by_customer", "customer_id", "handover_id"),
    comment="the customers of hand-overs: named ones from the start, all of them once they moved",
)

HANDOVER_OUTSTANDING = Table(
    "handover_outstanding",
    METADATA,
    Column("person", Text, primary_key=True, comment="who leaves or has left; a name of the directory"),
    Column("unit", Text, primary_key=True),
    Column("customers", Integer, nullable=False, comment="how many are still theirs, by the last count"),
    Column("last_day", Date, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column(
        "omitted_at", DateTime(timezone=True), comment="when it was told that the last day passed without hand-over"
    ),
    comment="customers that leavers have not handed over",
)
