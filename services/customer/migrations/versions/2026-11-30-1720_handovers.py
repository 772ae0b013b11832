"""Hand-overs: customers that go from one person to another, and what leavers have not handed over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_IS_OPEN = "state IN ('proposed', 'offered')"


def upgrade() -> None:
    op.create_table(
        "handover",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False, comment="of the customers"),
        sa.Column(
            "predecessor", sa.Text(), nullable=False, comment="whose customers they are; a name of the directory"
        ),
        sa.Column("successor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="code of the list handover_reason"),
        sa.Column(
            "whole", sa.Boolean(), nullable=False,
            comment="all that the predecessor has in the unit when it is accepted",
        ),
        sa.Column("customers", sa.Integer(), nullable=False, comment="how many, by the last count"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", _MOMENT, nullable=False),
        sa.Column("decide_until", _MOMENT, nullable=False),
        sa.Column("agreed", postgresql.JSONB(), nullable=False, comment="[{step, by, at}]"),
        sa.Column("accepted_by", sa.Text()),
        sa.Column("accepted_at", _MOMENT),
        sa.Column("undo_until", _MOMENT),
        sa.Column("tell_by", sa.Date(), comment="the day by which the customers are told"),
        sa.Column("late_told_at", _MOMENT, comment="when it was told that some were not"),
        sa.Column("ended_by", sa.Text()),
        sa.Column("ended_at", _MOMENT),
        sa.Column("end_reason", sa.Text(), comment="code of the list handover_end"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="who hands customers over to whom",
    )  # fmt: skip
    op.create_index(
        "handover_whole", "handover", ["predecessor", "unit"], unique=True,
        postgresql_where=sa.text(f"whole AND {_IS_OPEN}"),
    )  # fmt: skip
    op.create_index("handover_due", "handover", ["decide_until"], postgresql_where=sa.text(_IS_OPEN))
    late = sa.text("state = 'accepted' AND late_told_at IS NULL")
    op.create_index("handover_late", "handover", ["tell_by"], postgresql_where=late)
    op.create_index("handover_by_unit", "handover", ["unit", "id"])
    op.create_table(
        "handover_customer",
        sa.Column("handover_id", sa.Uuid(), sa.ForeignKey("handover.id"), nullable=False),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False, comment="named in a hand-over that is not decided yet"),
        sa.Column("version", sa.Integer(), comment="of the file, by which it moved; none: it did not"),
        sa.Column("undone_version", sa.Integer(), comment="by which it moved back; none: it did not"),
        sa.Column("told_at", _MOMENT, comment="when the customer was told of the successor"),
        sa.Column("told_by", sa.Text()),
        sa.Column("channel", sa.Text(), comment="code of the list verification_channel"),
        sa.PrimaryKeyConstraint("handover_id", "customer_id"),
        comment="the customers of hand-overs: named ones from the start, all of them once they moved",
    )
    op.create_index(
        "handover_customer_open", "handover_customer", ["customer_id"], unique=True, postgresql_where=sa.text("is_open")
    )
    op.create_index("handover_by_customer", "handover_customer", ["customer_id", "handover_id"])
    op.create_table(
        "handover_outstanding",
        sa.Column("person", sa.Text(), nullable=False, comment="who leaves or has left; a name of the directory"),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False, comment="how many are still theirs, by the last count"),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("found_at", _MOMENT, nullable=False),
        sa.Column("omitted_at", _MOMENT, comment="when it was told that the last day passed without hand-over"),
        sa.PrimaryKeyConstraint("person", "unit"),
        comment="customers that leavers have not handed over",
    )


def downgrade() -> None:
    op.drop_table("handover_outstanding")
    op.drop_table("handover_customer")
    op.drop_table("handover")
