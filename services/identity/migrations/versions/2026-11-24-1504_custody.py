"""Change-over of custodians."""

import sqlalchemy as sa
from alembic import op

revision = "custody"
down_revision = "partner_key"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
        return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)

    op.create_table(
        "custody_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("leaver", sa.Text(), nullable=True, comment="none: nobody keeps the role"),
        sa.Column("successor", sa.Text(), nullable=False),
        sa.Column("supervisor", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        moment("proposed_at"),
        moment("expires_at"),
        sa.Column("state", sa.Text(), nullable=False),
        moment("closed_at", nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was withdrawn or refused"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'done', 'withdrawn', 'refused', 'expired')", name="custody_change_state"),
        sa.CheckConstraint(
            "successor <> supervisor AND leaver IS DISTINCT FROM successor AND leaver IS DISTINCT FROM supervisor",
            name="custody_change_is_of_three",
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"]),
        sa.ForeignKeyConstraint(["leaver"], ["staff.name"]),
        sa.ForeignKeyConstraint(["successor"], ["staff.name"]),
        sa.ForeignKeyConstraint(["supervisor"], ["staff.name"]),
        sa.PrimaryKeyConstraint("id"),
        comment="custodians who hand over, one open change a role and unit",
    )
    op.create_index("ix_custody_change_unit", "custody_change", ["unit"], unique=False)
    op.create_index(
        "custody_change_open",
        "custody_change",
        ["role", "unit"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "custody_confirmation",
        sa.Column("change", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        moment("at"),
        sa.Column(
            "secret_hash",
            sa.Text(),
            nullable=True,
            comment="argon2id of the password to come; gone once the change is over",
        ),
        sa.CheckConstraint("part IN ('leaver', 'successor', 'supervisor')", name="custody_confirmation_part"),
        sa.ForeignKeyConstraint(["change"], ["custody_change.id"]),
        sa.PrimaryKeyConstraint("change", "part"),
        comment="who has confirmed a change-over",
    )


def downgrade() -> None:
    op.drop_table("custody_confirmation")
    op.drop_table("custody_change")
