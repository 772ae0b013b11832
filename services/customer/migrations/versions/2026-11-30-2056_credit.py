"""Credit: forms, bills and payments, and supply that is suspended."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(astext_type=sa.Text())
_OPEN = "paid_fen < amount_fen AND NOT withdrawn"


def upgrade() -> None:
    op.create_table(
        "credit_account",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("customer_id"),
        comment="customers who have or had credit: one row to lock each",
    )
    _forms()
    _holds()
    _bills()


def _forms() -> None:
    op.create_table(
        "credit_form",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("term_days", sa.Integer(), nullable=False),
        sa.Column("limit_fen", sa.BigInteger(), nullable=False, comment="how much may be unpaid at a time"),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decide_until", sa.DateTime(timezone=True)),
        sa.Column("definition", _JSON, nullable=False, comment="{id, version, hash} of what was asked"),
        sa.Column("from_on", sa.Date(), comment="the first day of credit by it"),
        sa.Column("ended_on", sa.Date(), comment="the last one"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="forms for credit, one waiting and one in force a customer",
    )
    op.create_index("credit_form_by_customer", "credit_form", ["customer_id", "id"])
    for name, state in (("credit_form_open", "proposed"), ("credit_form_in_force", "in_force")):
        where = sa.text(f"state = '{state}'")
        op.create_index(name, "credit_form", ["customer_id"], unique=True, postgresql_where=where)
    waiting = sa.text("state = 'proposed'")
    op.create_index("credit_form_due", "credit_form", ["decide_until"], postgresql_where=waiting)


def _holds() -> None:
    op.create_table(
        "credit_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="supply that is or was suspended, one at a time a customer",
    )
    op.create_index("credit_hold_by_customer", "credit_hold", ["customer_id", "id"])
    is_open = sa.text("ended_at IS NULL")
    op.create_index("credit_hold_open", "credit_hold", ["customer_id"], unique=True, postgresql_where=is_open)
    op.create_table(
        "credit_step",
        sa.Column("id", sa.Uuid(), nullable=False, comment="of its event"),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("matter", sa.Uuid(), nullable=False, comment="the form or hold"),
        sa.Column("type", sa.Text(), nullable=False, comment="event type, as published"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("facts", _JSON, nullable=False, comment="what the event says of it, nothing personal"),
        sa.Column("sealed", sa.LargeBinary(), comment="{code: {after}} under the subject's key, as in the event"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="what happened to forms and holds",
    )
    op.create_index("credit_step_by_matter", "credit_step", ["matter", "at", "id"])
    op.create_index("credit_step_by_customer", "credit_step", ["customer_id", "at", "id"])


def _bills() -> None:
    op.create_table(
        "credit_bill",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False, comment="whose it is"),
        sa.Column("recorded_for", sa.Uuid(), nullable=False, comment="whom the feed names"),
        sa.Column("supplied_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False, comment="the last day for paying it"),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False, comment="sum of its payments"),
        sa.Column("withdrawn", sa.Boolean(), nullable=False, comment="cancelled: counts no more"),
        sa.Column("overdue_at", sa.DateTime(timezone=True), comment="since when it counts as overdue"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["credit_account.customer_id"]),
        sa.PrimaryKeyConstraint("source_id"),
        comment="what was supplied on credit",
    )
    op.create_index("credit_bill_by_customer", "credit_bill", ["customer_id", "recorded_at", "source_id"])
    unpaid, to_tell = sa.text(_OPEN), sa.text(f"overdue_at IS NULL AND {_OPEN}")
    op.create_index("credit_bill_unpaid", "credit_bill", ["due_on", "source_id"], postgresql_where=unpaid)
    op.create_index("credit_bill_unpaid_of", "credit_bill", ["customer_id", "due_on"], postgresql_where=unpaid)
    op.create_index("credit_bill_to_tell", "credit_bill", ["due_on"], postgresql_where=to_tell)
    op.create_table(
        "credit_payment",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("bill", sa.Text(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False, comment="bounced or recorded in error: counts no more"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bill"], ["credit_bill.source_id"]),
        sa.PrimaryKeyConstraint("source_id"),
        comment="payments of bills",
    )
    op.create_index("credit_payment_by_bill", "credit_payment", ["bill"])


def downgrade() -> None:
    for table in ("payment", "bill", "step", "hold", "form", "account"):
        op.drop_table(f"credit_{table}")
