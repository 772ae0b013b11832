"""Tables of attachments: what each is, and its versions; their bytes are stored objects and are never changed."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid

from services.customer.tables import METADATA

ATTACHMENT = Table(
    "attachment",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("secrecy", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("ended_by", Text),
    Column("end_event", Uuid),
    Column("end_reason", LargeBinary, comment="sealed under the subject's key"),
    Index("attachment_by_customer", "customer_id", "id"),
    comment="attachments; gone when the customer is erased",
)

ATTACHMENT_VERSION = Table(
    "attachment_version",
    METADATA,
    Column("attachment_id", Uuid, ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("format", Text, nullable=False),
    Column("size", Integer, nullable=False, comment="bytes, as it is kept"),
    Column("sha256", LargeBinary, nullable=False, comment="of the content as it was sent"),
    Column("content_id", Uuid, nullable=False, comment="stored object, sealed under the subject's key"),
    Column("event_id", Uuid, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="its name under the subject's key"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    comment="what an attachment was, version by version",
)
