"""Tables of grades: the latest check of each customer, every change, each quarter, the rounds, and the texts used."""

from sqlalchemy import ARRAY, Column, Date, DateTime, ForeignKey, Integer, Numeric, SmallInteger, Table, Text, Uuid
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
        Column("customer_class", Text),
        Column("basis", Text, comment="the texts that it was made with: grade_basis"),
        Column("totals", JSONB, comment="figures in the order of the policy's totals; the items are in the history"),
        Column("course", JSONB, comment="what was held before and what settled the grade: patience.Course"),
        Column("digest", Text, comment="SHA-256 over what it was made from and came to"),
        Column("override_id", Uuid, comment="the override that was in force"),
    ]


GRADE = Table(
    "grade",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("serial", Integer, nullable=False, comment="changes of grade so far; its row lock keeps checks apart"),
    *_explanation(),
    Column("override_grade", Text),
    Column("override_until", DateTime(timezone=True)),
    comment="the latest check of each customer, and the override in force",
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
    Column("lane", SmallInteger, primary_key=True, comment="large rounds have several, side by side"),
    Column("until_id", Uuid, comment="its last customer; none: to the end"),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("last_id", Uuid, comment="customers up to here are checked, or belong to the lane before"),
    Column("done_at", DateTime(timezone=True)),
    comment="re-checks of all customers: each quarter, and when a policy takes effect",
)

GRADE_QUARTER = Table(
    "grade_quarter",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("quarter", Text, primary_key=True, comment="2027Q1"),
    Column("serial", Integer, nullable=False),
    Column("grade", Text),
    Column("score", Numeric),
    Column("customer_class", Text),
    Column("policy_version", Date, nullable=False),
    Column("policy_hash", Text, nullable=False),
    Column("customer_version", Integer, nullable=False),
    Column("checked_at", DateTime(timezone=True), nullable=False),
    comment="the grade that each customer got in the round of a quarter, never changed",
)

REGIME_TEXT = Table(
    "regime_text",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, comment="measure/kind/id"),
    Column("version", Date, nullable=False),
    Column("wording", JSONB, nullable=False, comment="as JSON, word for word: the hash is that of its canonical form"),
    Column("kept_at", DateTime(timezone=True), nullable=False),
    comment="every definition that a grade was ever made with, never changed",
)

GRADE_BASIS = Table(
    "grade_basis",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("kind", Text, nullable=False, comment="kind of customer"),
    Column(
        "texts", ARRAY(Text), nullable=False, comment="hashes of regime_text: the policy, its groups, its code lists"
    ),
    comment="what grades were made with, together",
)
