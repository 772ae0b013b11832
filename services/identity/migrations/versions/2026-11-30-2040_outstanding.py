"""Whether leavers have customers to hand over, as the customer service tells of it."""

import sqlalchemy as sa
from alembic import op

revision = "outstanding"
down_revision = "custody"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outstanding",
        sa.Column("person", sa.Text(), nullable=False, comment="who leaves; a name as the customer service knows it"),
        sa.Column("unit", sa.Text(), nullable=False, comment="of the customers"),
        sa.Column("done", sa.Boolean(), nullable=False, comment="somebody else looks after all of them"),
        sa.PrimaryKeyConstraint("person", "unit"),
        comment="whether leavers have customers of a unit to hand over, from events",
    )


def downgrade() -> None:
    op.drop_table("outstanding")
