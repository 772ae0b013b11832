"""Tables of reviews. All but `verification` follow from the files and the cadences, and can be made again from them.

`review_due` is narrow and indexed by what lists ask for, so that a list of a million customers is a range of an index;
`review_count` has its figures, since whole periods share their last day and so few of them differ.
"""

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy import text as sql

from services.customer.tables import METADATA

REVIEW_FILE = Table(
    "review_file",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("checked_at", DateTime(timezone=True), comment="when the file as a whole was verified last"),
    Column("visited_at", DateTime(timezone=True), comment="when the customer was visited last"),
    comment="one row a file: locked while its reviews are reckoned",
)

REVIEW_DUE = Table(
    "review_due",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("cadence", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("manager", Text, nullable=False, comment="empty if nobody looks after the customer"),
    Column("opens_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("told", Boolean, nullable=False, comment="that it is overdue"),
    Index("review_due_by_day", "cadence", "due_on", "customer_id", postgresql_include=["unit", "manager", "kind"]),
    Index("review_due_by_unit", "unit", "cadence", "due_on", "customer_id", postgresql_include=["kind"]),
    Index("review_due_by_manager", "manager", "cadence", "due_on", "customer_id", postgresql_include=["unit", "kind"]),
    Index("review_due_to_tell", "due_on", "customer_id", postgresql_where=sql("NOT told")),
    comment="when each review of each file is to be made",
)

REVIEW_COUNT = Table(
    "review_count",
    METADATA,
    Column("unit", Text, primary_key=True),
    Column("manager", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("cadence", Text, primary_key=True),
    Column("due_on", Date, primary_key=True),
    Column("n", Integer, nullable=False),
    comment="how many rows of review_due there are of each sort",
)

REVIEW_ROUND = Table(
    "review_round",
    METADATA,
    Column("occasion", Text, primary_key=True, comment="which texts of cadences, calendars and dictionaries"),
    Column("last_id", Uuid, comment="the last customer whose reviews were reckoned"),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    comment="rounds over all files, when what is declared has changed",
)

REVIEW_UNIT_TOLD = Table(
    "review_unit_told",
    METADATA,
    Column("unit", Text, primary_key=True),
    Column("due_on", Date, primary_key=True),
    comment="which units were told how many reviews of a last day are overdue",
)

VERIFICATION = Table(
    "verification",
    METADATA,
    Column("id", Uuid, primary_key=True, comment="of its event"),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("version", Integer, nullable=False, comment="of the file that it made"),
    Column("items", ARRAY(Text), nullable=False),
    Column("whole", Boolean, nullable=False, comment="the file as a whole was verified"),
    Column("channel", Text, nullable=False),
    Column("answered_on", Date, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="{answer, answered_by} under the customer's key"),
    Index("verification_by_customer", "customer_id", "at", "id"),
    comment="what customers answered when their files were verified",
)
