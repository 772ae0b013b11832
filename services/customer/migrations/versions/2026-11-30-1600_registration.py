"""Registration forms, each time that they were handed in, who agreed, and whose hands they have been in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_CHILDREN = ("registration_hand", "registration_agreed", "registration_round")


def upgrade() -> None:
    _form()
    _indexes()
    _round()
    op.create_table(
        "registration_agreed",
        _registration(),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="nobody agrees twice"),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("registration", "round", "actor"),
        comment="who agreed to which step of an approval",
    )
    op.create_table(
        "registration_hand",
        _registration(),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False, comment="what they did to the form, as an action is called"),
        sa.PrimaryKeyConstraint("registration", "actor", "action"),
        comment="whose hands a form has been in: none of them approves it",
    )


def _registration() -> sa.Column[object]:
    return sa.Column("registration", sa.Uuid(), sa.ForeignKey("registration.id", ondelete="CASCADE"), nullable=False)


def _form() -> None:
    staff = "directory names of who is in contact with the customer"
    op.create_table(
        "registration",
        sa.Column("id", sa.Uuid(), nullable=False, comment="also of the customer to be"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("proposer", sa.Text(), nullable=False, comment="directory name of who puts it forward"),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False, comment="how often it was handed in"),
        sa.Column("submitted_at", _MOMENT, nullable=True, comment="while it waits: since when"),
        sa.Column("expires_at", _MOMENT, nullable=True, comment="while it waits: until when"),
        sa.Column(
            "items", postgresql.ARRAY(sa.Text()), nullable=False, comment="codes of the items that are filled in"
        ),
        sa.Column("staff", postgresql.ARRAY(sa.Text()), nullable=False, comment=staff),
        sa.Column("kek", sa.Text(), comment="name of the key that wraps the form's; none once it is the customer's"),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True, comment="whose key opens it, once approved"),
        sa.Column("sealed_by", sa.Uuid(), nullable=False, comment="bound into `sealed`"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="{code: value} as given, under the form's key"),
        sa.CheckConstraint("state IN ('draft', 'submitted', 'returned', 'approved')", name="registration_state"),
        sa.CheckConstraint(
            "(state = 'approved') = (customer_id IS NOT NULL) AND (customer_id IS NULL) = (wrapped IS NOT NULL)"
            " AND (kek IS NULL) = (wrapped IS NULL)",
            name="registration_key",
        ),
        sa.CheckConstraint("(state = 'submitted') = (submitted_at IS NOT NULL)", name="registration_waits"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="registration forms",
    )


def _indexes() -> None:
    op.create_index("registration_by_unit", "registration", ["unit", "id"])
    op.create_index("registration_by_proposer", "registration", ["proposer", "id"])
    op.create_index("registration_by_customer", "registration", ["customer_id"])
    op.create_index("registration_by_kek", "registration", ["kek", "id"])
    waits = sa.text("state = 'submitted'")
    op.create_index("registration_waiting", "registration", ["unit", "submitted_at", "id"], postgresql_where=waits)
    op.create_index("registration_lapsing", "registration", ["expires_at"], postgresql_where=waits)


def _round() -> None:
    outcomes = "outcome IN ('approved', 'returned', 'withdrawn', 'lapsed')"
    important = "whether the customer is, as the form was handed in"
    said = "{reason, items: {code: reason}} under the form's key"
    op.create_table(
        "registration_round",
        _registration(),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("submitted_by", sa.Text(), nullable=False),
        sa.Column("submitted_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.Column("important", sa.Boolean(), nullable=False, comment=important),
        sa.Column("approval", postgresql.JSONB(), nullable=False, comment="{id, version, hash} of the procedure"),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column(
            "items", postgresql.ARRAY(sa.Text()), nullable=False, comment="codes of the items that reasons are about"
        ),
        sa.Column("sealed_by", sa.Uuid(), nullable=True, comment="bound into `sealed`"),
        sa.Column("sealed", sa.LargeBinary(), nullable=True, comment=said),
        sa.CheckConstraint(outcomes, name="registration_round_outcome"),
        sa.CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name="registration_round_closed"),
        sa.PrimaryKeyConstraint("registration", "round"),
        comment="each time that a form was handed in, and what came of it",
    )


def downgrade() -> None:
    for name in (*_CHILDREN, "registration"):
        op.drop_table(name)
