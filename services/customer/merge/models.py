"""Table of merges."""

from sqlalchemy import ARRAY, Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

CUSTOMER_MERGE = Table(
    "customer_merge",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("survivor", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("loser", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("survivor_version", Integer, nullable=False, comment="of the file as the merge left it"),
    Column("loser_version", Integer, nullable=False),
    Column("items", ARRAY(Text), nullable=False, comment="codes that were taken from the loser"),
    Column("moved", JSONB, nullable=False, comment="feature -> ids of the records that moved, to move them back"),
    Column(
        "sealed",
        LargeBinary,
        nullable=False,
        comment="{values: {code: {before, after}}, reason} under the survivor's key; bound to the id of the merge",
    ),
    Column("undo_until", DateTime(timezone=True), nullable=False),
    Column("undone_at", DateTime(timezone=True)),
    Column("undone_by", Text),
    Column("undone", LargeBinary, comment="{reason} of undoing, sealed likewise"),
    Index("customer_merge_in_force", "loser", unique=True, postgresql_where=sql("undone_at IS NULL")),
    Index("customer_merge_by_survivor", "survivor", "id"),
    Index("customer_merge_by_loser", "loser", "id"),
    comment="files that became one",
)
