"""The table of stored objects: which there are, and where. A row is never without its object."""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, LargeBinary, Table, Text, Uuid, text

from services.customer.tables import METADATA

STORED_OBJECT = Table(
    "stored_object",
    METADATA,
    Column("id", Uuid, primary_key=True, comment="bound into the sealed content"),
    Column("place", Text, nullable=False, comment="database, or the name of the storage that holds it"),
    Column("content", LargeBinary, comment="sealed; only of place database"),
    Column("gone", Boolean, nullable=False, comment="no record names it any more; a job takes it out of its storage"),
    CheckConstraint("(place = 'database') = (content IS NOT NULL)", name="stored_object_place"),
    Index("stored_object_gone", "id", postgresql_where=text("gone")),
    comment="sealed content, wherever it lies",
)
