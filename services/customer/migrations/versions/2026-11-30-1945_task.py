"""Proposals of other grades in the order in which they lapse, for the list of tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "grade_override_waiting", "grade_override", ["decide_until", "id"],
        postgresql_where=sa.text("state = 'proposed'"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("grade_override_waiting", "grade_override")
