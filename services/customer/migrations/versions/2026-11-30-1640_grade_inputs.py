"""Grades keep what they were made from: totals, course, digest and the texts; a snapshot of each quarter; overrides."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_FROZEN = ("grade_quarter", "regime_text")


def upgrade() -> None:
    for table in ("grade", "grade_change"):
        for column in _kept():
            op.add_column(table, column)
    op.add_column("grade", sa.Column("override_grade", sa.Text()))
    op.add_column("grade", sa.Column("override_until", sa.DateTime(timezone=True)))
    op.create_table_comment("grade", "the latest check of each customer, and the override in force")
    _lanes()
    _quarters()
    _texts()
    for table in _FROZEN:
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()
        """)


def _kept() -> list[sa.Column[object]]:
    return [
        sa.Column("customer_class", sa.Text()),
        sa.Column("basis", sa.Text(), comment="the texts that it was made with: grade_basis"),
        sa.Column(
            "totals",
            postgresql.JSONB(astext_type=sa.Text()),
            comment="figures in the order of the policy's totals; the items are in the history",
        ),
        sa.Column(
            "course",
            postgresql.JSONB(astext_type=sa.Text()),
            comment="what was held before and what settled the grade: patience.Course",
        ),
        sa.Column("digest", sa.Text(), comment="SHA-256 over what it was made from and came to"),
        sa.Column("override_id", sa.Uuid(), comment="the override that was in force"),
    ]


def _lanes() -> None:
    """A round over many customers goes in several lanes, each from its own part of them on."""
    lane = sa.Column(
        "lane", sa.SmallInteger(), nullable=False, server_default="0", comment="large rounds have several, side by side"
    )
    op.add_column("grade_round", lane)
    op.add_column("grade_round", sa.Column("until_id", sa.Uuid(), comment="its last customer; none: to the end"))
    op.alter_column("grade_round", "lane", server_default=None)
    op.drop_constraint("grade_round_pkey", "grade_round")
    op.create_primary_key("grade_round_pkey", "grade_round", ["kind", "occasion", "lane"])
    comment = "customers up to here are checked, or belong to the lane before"
    op.alter_column("grade_round", "last_id", comment=comment, existing_type=sa.Uuid())
    op.create_index("customer_by_kind", "customer", ["kind", "id"])


def _quarters() -> None:
    op.create_table(
        "grade_quarter",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("quarter", sa.Text(), nullable=False, comment="2027Q1"),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("score", sa.Numeric(), nullable=True),
        sa.Column("customer_class", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.Date(), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=False),
        sa.Column("customer_version", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("customer_id", "quarter"),
        comment="the grade that each customer got in the round of a quarter, never changed",
    )


def _texts() -> None:
    op.create_table(
        "regime_text",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="measure/kind/id"),
        sa.Column("version", sa.Date(), nullable=False),
        sa.Column(
            "wording",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="as JSON, word for word: the hash is that of its canonical form",
        ),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
        comment="every definition that a grade was ever made with, never changed",
    )
    op.create_table(
        "grade_basis",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="kind of customer"),
        sa.Column(
            "texts",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="hashes of regime_text: the policy, its groups, its code lists",
        ),
        sa.PrimaryKeyConstraint("hash"),
        comment="what grades were made with, together",
    )


def downgrade() -> None:
    op.drop_index("customer_by_kind", "customer")
    op.execute("DELETE FROM grade_round WHERE lane > 0")
    op.drop_constraint("grade_round_pkey", "grade_round")
    op.create_primary_key("grade_round_pkey", "grade_round", ["kind", "occasion"])
    op.drop_column("grade_round", "until_id")
    op.drop_column("grade_round", "lane")
    for table in ("grade_basis", "regime_text", "grade_quarter"):
        op.drop_table(table)
    for column in ("override_until", "override_grade"):
        op.drop_column("grade", column)
    for table in ("grade_change", "grade"):
        for column in ("override_id", "digest", "course", "totals", "basis", "customer_class"):
            op.drop_column(table, column)
