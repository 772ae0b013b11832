"""Grade policies tried out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "simulation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False, comment="id of the definition"),
        sa.Column("kind", sa.Text(), nullable=False, comment="kind of customer"),
        sa.Column("wording", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sample", sa.SmallInteger(), nullable=False, comment="percent of the customers"),
        sa.Column("everything", sa.Boolean(), nullable=False, comment="the scope reaches every unit"),
        sa.Column("units", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("names", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=True, comment="customers up to here are checked"),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment='{"before>after": customers}',
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="grade policies tried out",
    )
    op.create_index("simulation_running", "simulation", ["id"], postgresql_where=sa.text("state = 'running'"))
    op.create_index("simulation_by_expiry", "simulation", ["expires_at"])
    op.create_table(
        "simulated_move",
        sa.Column("simulation_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["simulation_id"], ["simulation.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("simulation_id", "customer_id"),
        comment="customers who would get another grade",
    )


def downgrade() -> None:
    op.drop_table("simulated_move")
    op.drop_table("simulation")
