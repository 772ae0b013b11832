"""Grades that people set."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("state IN ('proposed', 'in_force')")


def upgrade() -> None:
    op.create_table(
        "grade_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False, comment="its last day"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decide_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="[{step, by, at}]"),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason_event", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="sealed under the subject's key"),
        sa.Column("end_event", sa.Uuid(), nullable=True),
        sa.Column(
            "end_reason", sa.LargeBinary(), nullable=True, comment="why it was refused or lifted; sealed likewise"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="grades that people set, one open a customer",
    )
    op.create_index("grade_override_open", "grade_override", ["customer_id"], unique=True, postgresql_where=_IS_OPEN)
    op.create_index("grade_override_by_customer", "grade_override", ["customer_id", "id"], unique=False)
    op.create_index("grade_override_due", "grade_override", ["expires_on"], unique=False, postgresql_where=_IS_OPEN)


def downgrade() -> None:
    op.drop_table("grade_override")
