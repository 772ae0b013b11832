"""Tables of customer files.

A customer is one narrow row with typed list columns and the values as JSONB, so that a list never reads the values and
a change rewrites one row (docs/decisions/0004). History is append-only: one event row a version.
"""

from sqlalchemy import ARRAY, Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid, func
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

_ORDER = ("name_key", "id")

CUSTOMER = Table(
    "customer",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False, comment="organisational unit that the file belongs to"),
    Column("manager", Text, comment="directory name of the person who looks after the customer"),
    Column("number", Text, comment="the customer's number in business"),
    Column("name", Text, nullable=False),
    Column("name_key", LargeBinary, nullable=False, comment="sort key of the name: rules.name_key"),
    Column("status", Text),
    Column("grade", Text, comment="copy of the grade in force, for lists"),
    Column("version", Integer, nullable=False),
    Column("values", JSONB, nullable=False, comment="item code -> value as shared.regime.dump_value writes it"),
    Column(
        "meta",
        JSONB,
        nullable=False,
        comment="item code -> [set by, set at, verified at], where they differ from created_*",
    ),
    Column("created_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("erased_at", DateTime(timezone=True), comment="when the data key was destroyed; the file is closed since"),
    Index("customer_by_kind", "kind", "id"),
    Column("merged_into", Uuid, ForeignKey("customer.id"), comment="the file that goes on; this one is closed since"),
    Index("customer_by_number", "kind", "number", unique=True),
    Index("customer_by_name", *_ORDER, postgresql_include=["unit", "kind", "status", "grade", "merged_into"]),
    Index("customer_by_unit", "unit", *_ORDER, postgresql_include=["kind", "status", "grade", "merged_into"]),
    Index("customer_by_unit_grade", "unit", "grade", *_ORDER, postgresql_include=["kind", "merged_into"]),
    Index("customer_by_grade", "grade", *_ORDER, postgresql_include=["unit", "kind", "status", "merged_into"]),
    Index("customer_by_status", "status", *_ORDER, postgresql_include=["unit", "kind", "grade", "merged_into"]),
    Index("customer_by_manager", "manager", *_ORDER, postgresql_include=["kind", "merged_into"]),
    Index("customer_merged", *_ORDER, postgresql_where=sql("merged_into IS NOT NULL")),
    Index("customer_by_survivor", "merged_into", postgresql_where=sql("merged_into IS NOT NULL")),
    comment="customer files",
    postgresql_with={"fillfactor": "85"},
)

CUSTOMER_EVENT = Table(
    "customer_event",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False, comment="event type, as published"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("items", ARRAY(Text), nullable=False),
    Column("sealed", LargeBinary, comment="{code: {before, after}} under the subject's key; none for an erasure"),
    comment="history: one row a version, never changed",
)

SUBJECT_KEY = Table(
    "subject_key",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("kek", Text, comment="name of the key-encryption key that wraps it"),
    Column("wrapped", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("destroyed_at", DateTime(timezone=True)),
    Column("destroyed_by", Text),
    Column("reason", Text),
    Index("subject_key_by_kek", "kek", "customer_id"),
    comment="one data key a customer; destroying it erases the customer's values everywhere",
)
