"""Tables of the inbox."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.notify.tables import METADATA

inbox_entry = sa.Table(
    "inbox_entry",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True, comment="the delivery's id: what is delivered twice stands here once"),
    sa.Column("recipient", sa.Text, nullable=False, comment="staff/<name>, or unit/<id> for a shared inbox"),
    sa.Column("about", sa.Text, nullable=False, comment="subject of the event: customer/<id>"),
    sa.Column("event_type", sa.Text, nullable=False),
    sa.Column("shown_by", sa.Text, nullable=False, comment="action whose holder sees the text"),
    sa.Column("unit", sa.Text, comment="where the subject belonged when it was sent"),
    sa.Column("manager", sa.Text, comment="and who answered for it"),
    sa.Column("secrecy", sa.Text, nullable=False),
    sa.Column("subject", JSONB, nullable=False, comment="{zh, en}"),
    sa.Column("body", JSONB, nullable=False, comment="{zh, en}"),
    sa.Column("template", JSONB, nullable=False, comment="{id, version, hash} of the text that was used"),
    sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("inbox_entry_recipient", "recipient", "id"),
    comment="what stands in the inboxes, as it was sent",
)

inbox_reading = sa.Table(
    "inbox_reading",
    METADATA,
    sa.Column("entry_id", sa.ForeignKey("inbox_entry.id"), primary_key=True),
    sa.Column("reader", sa.Text, primary_key=True, comment="a shared entry is read by each for themselves"),
    sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    comment="who has read what",
)
