"""Relations of customers, with customers and with others."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "relation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False, comment="in whose file it stands"),
        sa.Column("kind", sa.Text(), nullable=False, comment="what the other side is to the customer"),
        sa.Column("other_id", sa.Uuid(), nullable=True, comment="the other side, if a customer"),
        sa.Column("party", sa.Text(), nullable=True, comment="person or company, if the other side is no customer"),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="name and certificate of the party; the id is bound in; none once erased",
        ),
        sa.Column("share", sa.Numeric(7, 4), nullable=True, comment="percent"),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True, comment="its last day"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.CheckConstraint("(other_id IS NULL) <> (party IS NULL)", name="relation_has_one_other_side"),
        sa.CheckConstraint("other_id <> customer_id", name="relation_is_of_two"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.ForeignKeyConstraint(["other_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="relations of customers, with customers and with others",
    )
    op.create_index("relation_by_customer", "relation", ["customer_id", "id"])
    op.create_index("relation_by_other", "relation", ["other_id", "id"])
    op.create_table(
        "relation_event",
        sa.Column("relation_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False, comment="event type, as published"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="kind, share and days as they were then",
        ),
        sa.ForeignKeyConstraint(["relation_id"], ["relation.id"]),
        sa.PrimaryKeyConstraint("relation_id", "version"),
        comment="what happened to relations, for timelines",
    )


def downgrade() -> None:
    op.drop_table("relation_event")
    op.drop_table("relation")
