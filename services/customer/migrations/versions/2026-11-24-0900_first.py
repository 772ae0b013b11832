"""Customer files, photographs, dealings, grades, and the tables of the outbox, the inbox and the HTTP door."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_FROZEN = ("customer_event", "grade_change")


def upgrade() -> None:
    _file()
    _history_and_keys()
    _photographs()
    _dealings()
    _grading()
    _inbox()
    _letters()
    _door()
    _append_only()


def _file() -> None:
    op.create_table(
        "customer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False, comment="organisational unit that the file belongs to"),
        sa.Column(
            "manager", sa.Text(), nullable=True, comment="directory name of the person who looks after the customer"
        ),
        sa.Column("number", sa.Text(), nullable=True, comment="the customer's number in business"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.LargeBinary(), nullable=False, comment="sort key of the name: rules.name_key"),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=True, comment="copy of the grade in force, for lists"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "values",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="item code -> value as shared.regime.dump_value writes it",
        ),
        sa.Column(
            "meta",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="item code -> [set by, set at, verified at], where they differ from created_*",
        ),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "erased_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the data key was destroyed; the file is closed since",
        ),
        sa.PrimaryKeyConstraint("id"),
        comment="customer files",
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index("customer_by_manager", "customer", ["manager", "name_key", "id"], unique=False)
    op.create_index("customer_by_name", "customer", ["name_key", "id"], unique=False)
    op.create_index("customer_by_number", "customer", ["kind", "number"], unique=True)
    op.create_index("customer_by_unit", "customer", ["unit", "name_key", "id"], unique=False)
    op.create_index("customer_by_unit_grade", "customer", ["unit", "grade", "name_key", "id"], unique=False)


def _history_and_keys() -> None:
    op.create_table(
        "customer_event",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False, comment="event type, as published"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("items", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="{code: {before, after}} under the subject's key; none for an erasure",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id", "version"),
        comment="history: one row a version, never changed",
    )
    op.create_table(
        "subject_key",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kek", sa.Text(), nullable=True, comment="name of the key-encryption key that wraps it"),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id"),
        comment="one data key a customer; destroying it erases the customer's values everywhere",
    )
    op.create_index("subject_key_by_kek", "subject_key", ["kek", "customer_id"], unique=False)


def _photographs() -> None:
    op.create_table(
        "photo",
        sa.Column("id", sa.Uuid(), nullable=False, comment="the value of the item that it was taken for"),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False, comment="pixels, as the header of the picture says"),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="of the picture as it was sent"),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="the picture under the subject's key; its id is bound in",
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("customer_id", "item", "sha256"),
        comment="photographs; gone when the customer is erased",
    )


def _dealings() -> None:
    op.create_table(
        "purchase",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("varieties", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("orders_planned", sa.Integer(), nullable=False),
        sa.Column("payments_late", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id", "month"),
        sa.UniqueConstraint("source_id"),
        comment="what a customer bought in a month",
    )
    op.create_table(
        "violation",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False, comment="quashed: counts no more"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("source_id"),
        comment="violations established against a customer",
    )
    op.create_index("violation_by_customer", "violation", ["customer_id", "found_on"], unique=False)


def _grading() -> None:
    op.create_table(
        "grade",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "serial", sa.Integer(), nullable=False, comment="changes of grade so far; its row lock keeps checks apart"
        ),
        sa.Column("grade", sa.Text(), nullable=True, comment="none while unknown"),
        sa.Column("score", sa.Numeric(), nullable=True),
        sa.Column("policy_id", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.Date(), nullable=True),
        sa.Column("policy_hash", sa.Text(), nullable=True),
        sa.Column("customer_version", sa.Integer(), nullable=True, comment="version of the file that was checked"),
        sa.Column(
            "indicators",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="[{id, value, points, weight}]",
        ),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id"),
        comment="the latest check of each customer",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "grade_change",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=True, comment="none while unknown"),
        sa.Column("score", sa.Numeric(), nullable=True),
        sa.Column("policy_id", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.Date(), nullable=True),
        sa.Column("policy_hash", sa.Text(), nullable=True),
        sa.Column("customer_version", sa.Integer(), nullable=True, comment="version of the file that was checked"),
        sa.Column(
            "indicators",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="[{id, value, points, weight}]",
        ),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id", "serial"),
        comment="every change of grade with its explanation, never changed",
    )
    op.create_table(
        "grade_round",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False, comment="quarter, and hashes of policy and dictionary"),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=True, comment="customers up to here are checked"),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kind", "occasion"),
        comment="re-checks of all customers: each quarter, and when a policy takes effect",
    )


def _inbox() -> None:
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
        "consumed",
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("consumer_group", "event_id"),
        comment="event ids whose effect stands; kept longer than the bus keeps its messages",
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


def _append_only() -> None:
    """History is never rewritten, not even by a fault of ours."""
    op.execute("""
        CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
    """)
    for table in _FROZEN:
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()
        """)


def downgrade() -> None:
    for table in (
        "photo",
        "violation",
        "purchase",
        "grade_change",
        "grade",
        "grade_round",
        "subject_key",
        "customer_event",
        "customer",
    ):
        op.drop_table(table)
    for table in ("idempotency", "outbox", "dead_letter", "consumed", "consumer_member", "consumer_offset"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_rewriting")
