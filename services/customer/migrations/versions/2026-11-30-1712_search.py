"""The search: what customers are found by, in parts, and how that index is made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_PARTS = 16


def upgrade() -> None:
    op.create_table(
        "customer_search",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("terms", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
        comment="what customers are found by, as keyed hashes; nothing once erased",
        postgresql_partition_by="HASH (customer_id)",
    )
    # Nothing waits in a list that each search would have to read through.
    op.create_index(
        "customer_search_by_term", "customer_search", ["terms"], postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )  # fmt: skip
    for part in range(_PARTS):
        op.execute(
            f"CREATE TABLE customer_search_{part} PARTITION OF customer_search"
            f" FOR VALUES WITH (MODULUS {_PARTS}, REMAINDER {part})"
        )
        op.execute(f"ALTER INDEX customer_search_{part}_terms_idx RENAME TO customer_search_{part}_by_term")
        op.execute(f"COMMENT ON TABLE customer_search_{part} IS 'a part of customer_search'")
    op.create_table(
        "search_index",
        sa.Column("id", sa.SmallInteger(), nullable=False, comment="1: there is one index"),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="rules.fingerprint that it is made by"),
        sa.Column("kek", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False, comment="the key of the secret"),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="what terms are hashed with, sealed"),
        sa.Column("last_id", sa.Uuid(), comment="customers up to here are in it"),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), comment="all customers are in it"),
        sa.PrimaryKeyConstraint("id"),
        comment="how the search index is made, and how far it is",
    )


def downgrade() -> None:
    op.drop_table("search_index")
    op.drop_table("customer_search")
