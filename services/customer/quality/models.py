"""Tables of quality. All follow from the files and what is declared, and can be made again from them, but the months.

`quality` has a row a file, hence what lists of files need; `quality_sum` and `quality_count` have the figures of whole
units and managers, kept in the transaction of each row, so that no question adds up a million files.
"""

from sqlalchemy import ARRAY, Column, Date, DateTime, Index, Integer, Numeric, Table, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

_SHOWN = ["unit", "manager", "kind", "level"]


def _place() -> list[Column[str]]:
    return [
        Column("unit", Text, primary_key=True),
        Column("manager", Text, primary_key=True, comment="empty if nobody looks after the customer"),
        Column("kind", Text, primary_key=True),
    ]


def _figures() -> list[Column[object]]:
    """How many files, the sum of their scores; of each part the sum of marks, and how many files have one."""
    return [
        Column("n", Integer, nullable=False),
        Column("score", Numeric, nullable=False),
        Column("completeness", Numeric, nullable=False),
        Column("completeness_n", Integer, nullable=False),
        Column("accuracy", Numeric, nullable=False),
        Column("accuracy_n", Integer, nullable=False),
        Column("timeliness", Numeric, nullable=False),
        Column("timeliness_n", Integer, nullable=False),
    ]


QUALITY = Table(
    "quality",
    METADATA,
    Column("customer_id", Uuid, primary_key=True),
    Column("kind", Text),
    Column("unit", Text),
    Column("manager", Text, comment="empty if nobody looks after the customer"),
    Column("level", Text, comment="none: the file is not judged"),
    Column("score", Numeric),
    Column("completeness", Numeric),
    Column("accuracy", Numeric),
    Column("timeliness", Numeric),
    Column("looked", JSONB, comment="part -> at how many things was looked"),
    Column("failing", ARRAY(Text), nullable=False, server_default="{}", comment="<reason>:<item, rule or cadence>"),
    Column("file_version", Integer),
    Column("policy", JSONB, comment="id, version and hash of the policy"),
    Column("assessed_at", DateTime(timezone=True)),
    Column("turns_on", Date, comment="the day from which on it may differ though nothing happens to the file"),
    Index("quality_by_score", "score", "customer_id", postgresql_include=_SHOWN),
    Index("quality_by_completeness", "completeness", "customer_id", postgresql_include=_SHOWN),
    Index("quality_by_accuracy", "accuracy", "customer_id", postgresql_include=_SHOWN),
    Index("quality_by_timeliness", "timeliness", "customer_id", postgresql_include=_SHOWN),
    Index("quality_by_unit", "unit"),
    Index("quality_by_manager", "manager"),
    Index("quality_by_failing", "failing", postgresql_using="gin"),
    Index("quality_to_turn", "turns_on", "customer_id", postgresql_where=sql("turns_on IS NOT NULL")),
    comment="the quality of each file; locked while it is judged",
)

QUALITY_SUM = Table(
    "quality_sum",
    METADATA,
    *_place(),
    Column("level", Text, primary_key=True),
    *_figures(),
    comment="figures over the rows of quality of each sort",
)

QUALITY_MONTH = Table(
    "quality_month",
    METADATA,
    *_place(),
    Column("level", Text, primary_key=True),
    Column("month", Date, primary_key=True, comment="its first day"),
    *_figures(),
    comment="quality_sum as it last stood in each month in which it changed",
)

QUALITY_COUNT = Table(
    "quality_count",
    METADATA,
    *_place(),
    Column("failing", Text, primary_key=True, comment="<reason>:<item, rule or cadence>"),
    Column("n", Integer, nullable=False),
    comment="how many files of each sort fail in what",
)

QUALITY_ROUND = Table(
    "quality_round",
    METADATA,
    Column("occasion", Text, primary_key=True, comment="which texts are in force"),
    Column("last_id", Uuid, comment="files up to here are judged"),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    comment="rounds over all files, when what is declared has changed",
)
