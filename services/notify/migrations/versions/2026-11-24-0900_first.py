"""The notify database: messages, deliveries, inboxes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consumed",
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("consumer_group", "event_id"),
        comment="event ids whose effect stands; kept longer than the bus keeps its messages",
    )
    op.create_table(
        "consumer_member",
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column(
            "pid", sa.Integer(), nullable=False, comment="backend of the member's lease connection: gone means dead"
        ),
        sa.Column("backend_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("consumer_group", "member"),
        comment="live members of each group",
    )
    op.create_table(
        "consumer_offset",
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("next_position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=True, comment="the member that reads this partition now"),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("consumer_group", "topic", "partition"),
        comment="how far each group has read, and who reads",
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True, comment="none if the envelope itself cannot be read"),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column(
            "error", sa.Text(), nullable=False, comment="class of the error; never its text, which may quote values"
        ),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="equal for the same fault at the same place"),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("first_failed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("consumer_group", "topic", "partition", "position"),
        comment="events that a group could not apply",
    )
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.Text(), nullable=False, comment="keys of different callers do not meet"),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False, comment="method, path, query and body"),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key"),
        comment="answers to repeat",
    )
    op.create_table(
        "inbox_entry",
        sa.Column(
            "id", sa.Uuid(), nullable=False, comment="the delivery's id: what is delivered twice stands here once"
        ),
        sa.Column("recipient", sa.Text(), nullable=False, comment="staff/<name>, or unit/<id> for a shared inbox"),
        sa.Column("about", sa.Text(), nullable=False, comment="subject of the event: customer/<id>"),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("shown_by", sa.Text(), nullable=False, comment="action whose holder sees the text"),
        sa.Column("unit", sa.Text(), nullable=True, comment="where the subject belonged when it was sent"),
        sa.Column("manager", sa.Text(), nullable=True, comment="and who answered for it"),
        sa.Column("secrecy", sa.Text(), nullable=False),
        sa.Column("subject", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="{zh, en}"),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="{zh, en}"),
        sa.Column(
            "template",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="{id, version, hash} of the text that was used",
        ),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="what stands in the inboxes, as it was sent",
    )
    op.create_index("inbox_entry_recipient", "inbox_entry", ["recipient", "id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.Uuid(), nullable=False, comment="id of the event"),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False, comment="subject of the event"),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("template_version", sa.Text(), nullable=False),
        sa.Column("template_hash", sa.Text(), nullable=False),
        sa.Column("shown_by", sa.Text(), nullable=False, comment="action whose holder sees the text"),
        sa.Column("unit", sa.Text(), nullable=True, comment="where the subject belonged when it was sent"),
        sa.Column("manager", sa.Text(), nullable=True, comment="and who answered for it"),
        sa.Column("secrecy", sa.Text(), nullable=False),
        sa.Column(
            "subject",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="{zh, en}, as rendered when it was queued",
        ),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="{zh, en}"),
        sa.Column(
            "traceparent", sa.Text(), nullable=True, comment="of the event, so that its trace goes on to the delivery"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cause", "template_id"),
        comment="what an event has to say, once",
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False, comment="hash of the key; one relay leads a shard"),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="aggregate id: order is kept per key"),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False, comment="shared.bus.pack_headers"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="events written with their change, on their way to the bus",
        postgresql_with={
            "autovacuum_vacuum_scale_factor": "0",
            "autovacuum_vacuum_threshold": "5000",
            "autovacuum_vacuum_cost_delay": "0",
        },
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False, comment="staff/<name> or unit/<id>"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivery_delivered_at"),
        sa.CheckConstraint("state IN ('queued', 'delivered')", name="delivery_state"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id", "recipient", "channel"),
        comment="a message on its way to one recipient by one channel",
    )
    op.create_index(
        "delivery_queued", "delivery", ["not_before"], unique=False, postgresql_where=sa.text("state = 'queued'")
    )
    op.create_table(
        "inbox_reading",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False, comment="a shared entry is read by each for themselves"),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["inbox_entry.id"]),
        sa.PrimaryKeyConstraint("entry_id", "reader"),
        comment="who has read what",
    )


def downgrade() -> None:
    op.drop_table("inbox_reading")
    op.drop_index("delivery_queued", table_name="delivery", postgresql_where=sa.text("state = 'queued'"))
    op.drop_table("delivery")
    op.drop_table("outbox")
    op.drop_table("message")
    op.drop_index("inbox_entry_recipient", table_name="inbox_entry")
    op.drop_table("inbox_entry")
    op.drop_table("idempotency")
    op.drop_table("dead_letter")
    op.drop_table("consumer_offset")
    op.drop_table("consumer_member")
    op.drop_table("consumed")
