"""Tables of duplicates. Of what is compared they hold keyed hashes, never a value."""

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy import text as sql

from services.customer.tables import METADATA

DUPLICATE_FILE = Table(
    "duplicate_file",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    Column("keys", ARRAY(BigInteger), nullable=False, comment="its rows of duplicate_key, to take them back"),
    comment="open files whose keys are there",
)

DUPLICATE_KEY = Table(
    "duplicate_key",
    METADATA,
    Column("key", BigInteger, primary_key=True, autoincrement=False, comment="keyed hash of a compared form"),
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    comment="by which forms a customer is found",
)

DUPLICATE_PAIR = Table(
    "duplicate_pair",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("low", Uuid, ForeignKey("customer.id"), nullable=False, comment="the lower id, hence the older file"),
    Column("high", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("low_unit", Text, nullable=False, comment="copies of where the files belong, for the list"),
    Column("low_manager", Text),
    Column("high_unit", Text, nullable=False),
    Column("high_manager", Text),
    Column("verdict", Text, nullable=False),
    Column("score", Integer, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("dismissed_at", DateTime(timezone=True), comment="none while the pair is open"),
    Column("dismissed_by", Text),
    Column("reason", LargeBinary, comment="sealed under the key of the older file; the id of the pair is bound in"),
    Index("duplicate_pair_by_files", "low", "high", unique=True),
    Index("duplicate_pair_by_high", "high"),
    Index(
        "duplicate_pair_open",
        "id",
        postgresql_include=["verdict", "low_unit", "low_manager", "high_unit", "high_manager"],
        postgresql_where=sql("dismissed_at IS NULL"),
    ),
    comment="two files that may be of one customer",
)

DUPLICATE_ROUND = Table(
    "duplicate_round",
    METADATA,
    Column("occasion", Text, primary_key=True, comment="which texts of the rules are in force, and which key"),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("last_id", Uuid, comment="customers up to here are done"),
    Column("done_at", DateTime(timezone=True)),
    comment="looking at all customers anew, when rules or key change",
)
