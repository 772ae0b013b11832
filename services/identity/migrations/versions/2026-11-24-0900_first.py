"""The identity database: directory, signing keys, failed sign-ins."""

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
        "sign_in_failure",
        sa.Column(
            "mark", sa.LargeBinary(), nullable=False, comment="HMAC of a name or an address: neither stands in clear"
        ),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column(
            "forgotten_at", sa.DateTime(timezone=True), nullable=False, comment="from then on it is counted afresh"
        ),
        sa.Column(
            "locked_until", sa.DateTime(timezone=True), nullable=True, comment="none while failures are still free"
        ),
        sa.PrimaryKeyConstraint("mark"),
        comment="how often a name (existing or not) or an address failed of late",
    )
    op.create_index("ix_sign_in_failure_forgotten_at", "sign_in_failure", ["forgotten_at"], unique=False)
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="JWK, as published"),
        sa.Column(
            "kek", sa.Text(), nullable=False, comment="name of the key in settings that wraps this one's data key"
        ),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False, comment="data key under the kek"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="private JWK under the data key"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False, comment="signs from here on"),
        sa.Column(
            "retires_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="its last token has expired; none while it signs",
        ),
        sa.PrimaryKeyConstraint("kid"),
        sa.UniqueConstraint("active_from"),
        comment="ES256 keys: published before they sign and for as long as their tokens live",
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True, comment="none for the top"),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="{zh, en}"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["unit.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="organisation units, a tree",
    )
    op.create_index("ix_unit_parent", "unit", ["parent"], unique=False)
    op.create_table(
        "account",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False, comment="argon2id of the password or the client's secret"),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('person', 'client')", name="account_kind"),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"]),
        sa.PrimaryKeyConstraint("name"),
        comment="who can get a token: people by password, partner systems by client credentials",
    )
    op.create_index("ix_account_unit", "account", ["unit"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_account_unit", table_name="account")
    op.drop_table("account")
    op.drop_index("ix_unit_parent", table_name="unit")
    op.drop_table("unit")
    op.drop_table("signing_key")
    op.drop_index("ix_sign_in_failure_forgotten_at", table_name="sign_in_failure")
    op.drop_table("sign_in_failure")
    op.drop_table("outbox")
    op.drop_table("idempotency")
    op.drop_table("dead_letter")
    op.drop_table("consumer_offset")
    op.drop_table("consumer_member")
    op.drop_table("consumed")
