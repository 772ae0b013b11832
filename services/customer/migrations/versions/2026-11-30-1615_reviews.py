"""Reviews: what is due when, how much of it, verifications with what customers answered."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = (
    "verification",
    "review_unit_told",
    "review_round",
    "review_count",
    "review_due",
    "review_file",
)


def upgrade() -> None:
    op.create_table(
        "review_file",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "checked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the file as a whole was verified last",
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("customer_id"),
        comment="one row a file: locked while its reviews are reckoned",
    )
    _due()
    op.create_table(
        "review_count",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("unit", "manager", "kind", "cadence")),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "manager", "kind", "cadence", "due_on"),
        comment="how many rows of review_due there are of each sort",
    )
    op.create_table(
        "review_round",
        sa.Column("occasion", sa.Text(), nullable=False, comment="which texts of cadences, calendars and dictionaries"),
        sa.Column("last_id", sa.Uuid(), comment="the last customer whose reviews were reckoned"),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("occasion"),
        comment="rounds over all files, when what is declared has changed",
    )
    op.create_table(
        "review_unit_told",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "due_on"),
        comment="which units were told how many reviews of a last day are overdue",
    )
    _verification()


def _due() -> None:
    op.create_table(
        "review_due",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("cadence", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("manager", sa.Text(), nullable=False, comment="empty if nobody looks after the customer"),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False, comment="that it is overdue"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("customer_id", "cadence"),
        comment="when each review of each file is to be made",
    )
    order, included = ["cadence", "due_on", "customer_id"], ["unit", "manager", "kind"]
    op.create_index("review_due_by_day", "review_due", order, postgresql_include=included)
    op.create_index("review_due_by_unit", "review_due", ["unit", *order], postgresql_include=["kind"])
    op.create_index("review_due_by_manager", "review_due", ["manager", *order], postgresql_include=["unit", "kind"])
    op.create_index("review_due_to_tell", "review_due", ["due_on", "customer_id"], postgresql_where=sa.text("NOT told"))


def _verification() -> None:
    op.create_table(
        "verification",
        sa.Column("id", sa.Uuid(), nullable=False, comment="of its event"),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the file that it made"),
        sa.Column("items", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False, comment="the file as a whole was verified"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="{answer, answered_by} under the customer's key"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="what customers answered when their files were verified",
    )
    op.create_index("verification_by_customer", "verification", ["customer_id", "at", "id"])


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
