"""Submissions, and the tables of the outbox, the inbox and the HTTP door."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _submission()
    _indexes()
    _sealed()
    _inbox()
    _letters()
    _door()


def _submission() -> None:
    op.create_table(
        "submission",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("org", sa.Text(), nullable=False),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="counts the contents filed for this org, report and period"
        ),
        sa.Column(
            "definition",
            postgresql.JSONB(),
            nullable=False,
            comment="id, version and hash of the report as it was judged",
        ),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False, comment="of the body or file as it was sent"),
        sa.Column("media", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False, comment="findings by severity"),
        sa.Column(
            "groups",
            postgresql.JSONB(),
            nullable=False,
            comment="findings by rule and field: counts and texts, no data",
        ),
        sa.Column("stages", postgresql.JSONB(), nullable=False, comment="which phases ran, and on what"),
        sa.Column("submitted_by", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kek", sa.Text(), nullable=True, comment="key-encryption key; none once the submission's key is destroyed"
        ),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True, comment="the submission's data key"),
        sa.Column(
            "figures", sa.LargeBinary(), nullable=False, comment="sealed: figures that the next period is compared with"
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("org", "report", "period", "version"),
        comment="what was filed, and the verdict",
    )


def _indexes() -> None:
    op.create_index("submission_by_kek", "submission", ["kek", "id"], unique=False)
    op.create_index("submission_by_org", "submission", ["org", "id"], unique=False)
    op.create_index(
        "submission_once",
        "submission",
        ["org", "report", "period", "content_sha256", sa.literal_column("(definition ->> 'hash')")],
        unique=True,
    )


def _sealed() -> None:
    op.create_table(
        "content",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="what was sent: compressed, then sealed"),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("submission_id"),
        comment="submissions as they were sent",
    )
    op.execute("ALTER TABLE content ALTER sealed SET STORAGE EXTERNAL")  # sealed bytes do not compress
    op.create_table(
        "finding_page",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="up to 200 listed findings"),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("submission_id", "number"),
        comment="findings in the order of phases and rules",
    )
    op.execute("ALTER TABLE finding_page ALTER sealed SET STORAGE EXTERNAL")


def _inbox() -> None:
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


def _letters() -> None:
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


def _door() -> None:
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.Text(), nullable=False, comment="keys of different callers do not meet"),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False, comment="method, path, query and body"),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
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


def downgrade() -> None:
    raise RuntimeError("what was filed is never taken down by a migration")
