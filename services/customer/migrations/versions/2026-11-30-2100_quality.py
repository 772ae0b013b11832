"""The quality of files: a row each, the figures of units and managers, their months."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_SHOWN = ["unit", "manager", "kind", "level"]
_MANAGER = "empty if nobody looks after the customer"


def _place() -> list[sa.Column[str]]:
    return [
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("manager", sa.Text(), nullable=False, comment=_MANAGER),
        sa.Column("kind", sa.Text(), nullable=False),
    ]


def _figures() -> list[sa.Column[object]]:
    return [
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("score", sa.Numeric(), nullable=False),
        sa.Column("completeness", sa.Numeric(), nullable=False),
        sa.Column("completeness_n", sa.Integer(), nullable=False),
        sa.Column("accuracy", sa.Numeric(), nullable=False),
        sa.Column("accuracy_n", sa.Integer(), nullable=False),
        sa.Column("timeliness", sa.Numeric(), nullable=False),
        sa.Column("timeliness_n", sa.Integer(), nullable=False),
    ]


def upgrade() -> None:
    _files()
    op.create_table(
        "quality_sum",
        *_place(),
        sa.Column("level", sa.Text(), nullable=False),
        *_figures(),
        sa.PrimaryKeyConstraint(*_SHOWN),
        comment="figures over the rows of quality of each sort",
    )
    op.create_table(
        "quality_month",
        *_place(),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        *_figures(),
        sa.PrimaryKeyConstraint(*_SHOWN, "month"),
        comment="quality_sum as it last stood in each month in which it changed",
    )
    op.create_table(
        "quality_count",
        *_place(),
        sa.Column("failing", sa.Text(), nullable=False, comment="<reason>:<item, rule or cadence>"),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "manager", "kind", "failing"),
        comment="how many files of each sort fail in what",
    )
    op.create_table(
        "quality_round",
        sa.Column("occasion", sa.Text(), nullable=False, comment="which texts are in force"),
        sa.Column("last_id", sa.Uuid(), comment="files up to here are judged"),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("occasion"),
        comment="rounds over all files, when what is declared has changed",
    )


def _files() -> None:
    op.create_table(
        "quality",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text()),
        sa.Column("unit", sa.Text()),
        sa.Column("manager", sa.Text(), comment=_MANAGER),
        sa.Column("level", sa.Text(), comment="none: the file is not judged"),
        sa.Column("score", sa.Numeric()),
        sa.Column("completeness", sa.Numeric()),
        sa.Column("accuracy", sa.Numeric()),
        sa.Column("timeliness", sa.Numeric()),
        sa.Column("looked", postgresql.JSONB(), comment="part -> at how many things was looked"),
        sa.Column(
            "failing", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}",
            comment="<reason>:<item, rule or cadence>",
        ),
        sa.Column("file_version", sa.Integer()),
        sa.Column("policy", postgresql.JSONB(), comment="id, version and hash of the policy"),
        sa.Column("assessed_at", sa.DateTime(timezone=True)),
        sa.Column(
            "turns_on", sa.Date(), comment="the day from which on it may differ though nothing happens to the file"
        ),
        sa.PrimaryKeyConstraint("customer_id"),
        comment="the quality of each file; locked while it is judged",
    )  # fmt: skip
    for mark in ("score", "completeness", "accuracy", "timeliness"):
        op.create_index(f"quality_by_{mark}", "quality", [mark, "customer_id"], postgresql_include=_SHOWN)
    op.create_index("quality_by_unit", "quality", ["unit"])
    op.create_index("quality_by_manager", "quality", ["manager"])
    op.create_index("quality_by_failing", "quality", ["failing"], postgresql_using="gin")
    op.create_index(
        "quality_to_turn", "quality", ["turns_on", "customer_id"], postgresql_where=sa.text("turns_on IS NOT NULL")
    )


def downgrade() -> None:
    for table in ("quality_round", "quality_count", "quality_month", "quality_sum", "quality"):
        op.drop_table(table)
