"""The roster: what this service knows of the directory."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roster",
        sa.Column("kind", sa.Text(), nullable=False, comment="unit, person, client, key, session, revoked"),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "version", sa.BigInteger(), nullable=False, comment="of the subject; an older one never replaces a newer"
        ),
        sa.Column(
            "data",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="as the last event said; no personal values",
        ),
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="rises with commits"),
        sa.PrimaryKeyConstraint("kind", "id"),
        sa.UniqueConstraint("serial"),
        comment="copy of the directory, from events",
    )


def downgrade() -> None:
    op.drop_table("roster")
