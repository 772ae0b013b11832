"""Duplicates: keys by which customers are found, pairs, rounds over all customers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duplicate_file",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "keys", sa.ARRAY(sa.BigInteger()), nullable=False, comment="its rows of duplicate_key, to take them back"
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("customer_id"),
        comment="open files whose keys are there",
    )
    op.create_table(
        "duplicate_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False, comment="keyed hash of a compared form"),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("key", "customer_id"),
        comment="by which forms a customer is found",
    )
    op.create_table(
        "duplicate_round",
        sa.Column(
            "occasion", sa.Text(), nullable=False, comment="which texts of the rules are in force, and which key"
        ),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=True, comment="customers up to here are done"),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("occasion"),
        comment="looking at all customers anew, when rules or key change",
    )
    _pairs()


def _pairs() -> None:
    op.create_table(
        "duplicate_pair",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("low", sa.Uuid(), nullable=False, comment="the lower id, hence the older file"),
        sa.Column("high", sa.Uuid(), nullable=False),
        sa.Column("low_unit", sa.Text(), nullable=False, comment="copies of where the files belong, for the list"),
        sa.Column("low_manager", sa.Text(), nullable=True),
        sa.Column("high_unit", sa.Text(), nullable=False),
        sa.Column("high_manager", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True, comment="none while the pair is open"),
        sa.Column("dismissed_by", sa.Text(), nullable=True),
        sa.Column(
            "reason",
            sa.LargeBinary(),
            nullable=True,
            comment="sealed under the key of the older file; the id of the pair is bound in",
        ),
        sa.ForeignKeyConstraint(["low"], ["customer.id"]),
        sa.ForeignKeyConstraint(["high"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="two files that may be of one customer",
    )
    op.create_index("duplicate_pair_by_files", "duplicate_pair", ["low", "high"], unique=True)
    op.create_index("duplicate_pair_by_high", "duplicate_pair", ["high"])
    op.create_index(
        "duplicate_pair_open",
        "duplicate_pair",
        ["id"],
        postgresql_include=["verdict", "low_unit", "low_manager", "high_unit", "high_manager"],
        postgresql_where=sa.text("dismissed_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("duplicate_pair", "duplicate_round", "duplicate_key", "duplicate_file"):
        op.drop_table(table)
