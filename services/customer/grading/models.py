"""Tables of grades: the latest check of each customer, every change of grade, and the rounds over all customers."""

from sqlalchemy import Column, Date, DateTime, ForeignKey, Integer, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA


def _explanation() -> list[Column[object]]:
    """What both tables keep of a check."""
    return [
        Column("grade", Text, comment="none while unknown"),
        Column("score", Numeric),
        Column("policy_id", Text),
        Column("policy_version", Date),
        Column("policy_hash", Text),
        Column("customer_version", Integer, comment="version of the file that was checked"),
        Column("indicators", JSONB, comment="[{id, value, points, weight}]"),
        Column("checked_at", DateTime(timezone=True)),
    ]


GRADE = Table(
    "grade",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("serial", Integer, nullable=False, comment="changes of grade so far; its row lock keeps checks apart"),
    *_explanation(),
    comment="the latest check of each customer",
    postgresql_with={"fillfactor": "70"},
)

GRADE_CHANGE = Table(
    "grade_change",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("serial", Integer, primary_key=True),
    Column("before", Text),
    *_explanation(),
    comment="every change of grade with its explanation, never changed",
)

GRADE_ROUND = Table(
    "grade_round",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("occasion", Text, primary_key=True, comment="quarter, and hashes of policy and dictionary"),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("last_id", Uuid, comment="customers up to here are checked"),
    Column("done_at", DateTime(timezone=True)),
    comment="re-checks of all customers: each quarter, and when a policy takes effect",
)
