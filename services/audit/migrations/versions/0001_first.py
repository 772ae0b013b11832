"""The log, and the tables of the outbox, the inbox and the HTTP door."""

from itertools import islice

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.audit.log.rules import months_from
from shared.clock import now

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _tree()
    _entries()
    _partitions()
    _append_only()
    _inbox()
    _dead_letters()
    _door()


def _tree() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "head",
        sa.Column("origin", sa.Text(), nullable=False, comment="name of the log in its checkpoints"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False, comment="roots of the perfect subtrees, largest first"),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin"),
    )
    op.create_table(
        "leaf",
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False, comment="index of the first of them"),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="a run of leaves, as in an entry bundle"),
        sa.PrimaryKeyConstraint("first"),
    )
    op.create_table(
        "tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False, comment="up to 256 hashes of 32 bytes"),
        sa.PrimaryKeyConstraint("level", "number"),
    )
    op.execute("ALTER TABLE tile ALTER hashes SET STORAGE EXTERNAL")  # hashes do not compress
    op.execute("ALTER TABLE leaf ALTER data SET STORAGE EXTERNAL")  # nor do they in leaves, much


def _entries() -> None:
    op.create_table(
        "entry",
        sa.Column("event_id", sa.UUID(), nullable=False, comment="UUIDv7: its month is the partition"),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="the event as canonical CloudEvents JSON"),
        sa.PrimaryKeyConstraint("event_id"),
        postgresql_partition_by="RANGE (event_id)",
    )
    op.create_index("entry_actor", "entry", ["actor", "index"], unique=False)
    op.create_index("entry_index", "entry", ["index"], unique=False)
    op.create_index("entry_occurred_at", "entry", ["occurred_at"], unique=False, postgresql_using="brin")
    op.create_index("entry_type", "entry", ["type"], postgresql_using="brin", postgresql_ops={"type": "text_bloom_ops"})


def _partitions() -> None:
    """Ids that are no UUIDv7, or of a month that has no partition, lie in the default partition."""
    op.execute("CREATE TABLE entry_default PARTITION OF entry DEFAULT")
    op.execute("CREATE UNIQUE INDEX entry_default_natural ON entry_default (subject, sequence, source)")
    for name, lower, upper in islice(months_from(now()), 3):
        op.execute(f"CREATE TABLE {name} PARTITION OF entry FOR VALUES FROM ('{lower}') TO ('{upper}')")
        op.execute(f"CREATE UNIQUE INDEX {name}_natural ON {name} (subject, sequence, source)")


def _append_only() -> None:
    """A fence against slips of the hand; against intent, only checkpoints in other hands help."""
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in ("entry", "leaf", "checkpoint"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


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


def _dead_letters() -> None:
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
    raise RuntimeError("an audit log is never taken down")
