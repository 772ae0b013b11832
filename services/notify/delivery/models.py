"""Tables of the delivery spine."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.notify.tables import METADATA

message = sa.Table(
    "message",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("cause", sa.Uuid, nullable=False, comment="id of the event"),
    sa.Column("event_type", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False, comment="subject of the event"),
    sa.Column("template_id", sa.Text, nullable=False),
    sa.Column("template_version", sa.Text, nullable=False),
    sa.Column("template_hash", sa.Text, nullable=False),
    sa.Column("shown_by", sa.Text, nullable=False, comment="action whose holder sees the text"),
    sa.Column("unit", sa.Text, comment="where the subject belonged when it was sent"),
    sa.Column("manager", sa.Text, comment="and who answered for it"),
    sa.Column("secrecy", sa.Text, nullable=False),
    sa.Column("subject", JSONB, nullable=False, comment="{zh, en}, as rendered when it was queued"),
    sa.Column("body", JSONB, nullable=False, comment="{zh, en}"),
    sa.Column("traceparent", sa.Text, comment="of the event, so that its trace goes on to the delivery"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("cause", "template_id"),
    comment="what an event has to say, once",
)

delivery = sa.Table(
    "delivery",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("message_id", sa.ForeignKey("message.id"), nullable=False),
    sa.Column("recipient", sa.Text, nullable=False, comment="staff/<name> or unit/<id>"),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="queued"),
    sa.Column("not_before", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("delivered_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("message_id", "recipient", "channel"),
    sa.CheckConstraint("state IN ('queued', 'delivered')", name="delivery_state"),
    sa.CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivery_delivered_at"),
    sa.Index("delivery_queued", "not_before", postgresql_where=sa.text("state = 'queued'")),
    comment="a message on its way to one recipient by one channel",
)
