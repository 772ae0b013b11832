"""Tables of credit. Bills and payments are fed by other systems; `source_id` is theirs.

Whoever changes anything of a customer here locks the account first. Bills refer to it rather than to the file, so that
a feed waits for nobody who has the file in hand.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

_OPEN = "paid_fen < amount_fen AND NOT withdrawn"

CREDIT_ACCOUNT = Table(
    "credit_account",
    METADATA,
    Column("customer_id", Uuid, ForeignKey("customer.id"), primary_key=True),
    comment="customers who have or had credit: one row to lock each",
)

CREDIT_FORM = Table(
    "credit_form",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("term_days", Integer, nullable=False),
    Column("limit_fen", BigInteger, nullable=False, comment="how much may be unpaid at a time"),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("decide_until", DateTime(timezone=True)),
    Column("definition", JSONB, nullable=False, comment="{id, version, hash} of what was asked"),
    Column("from_on", Date, comment="the first day of credit by it"),
    Column("ended_on", Date, comment="the last one"),
    Index("credit_form_by_customer", "customer_id", "id"),
    Index("credit_form_open", "customer_id", unique=True, postgresql_where=text("state = 'proposed'")),
    Index("credit_form_in_force", "customer_id", unique=True, postgresql_where=text("state = 'in_force'")),
    Index("credit_form_due", "decide_until", postgresql_where=text("state = 'proposed'")),
    comment="forms for credit, one waiting and one in force a customer",
)

CREDIT_HOLD = Table(
    "credit_hold",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Index("credit_hold_by_customer", "customer_id", "id"),
    Index("credit_hold_open", "customer_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    comment="supply that is or was suspended, one at a time a customer",
)

CREDIT_STEP = Table(
    "credit_step",
    METADATA,
    Column("id", Uuid, primary_key=True, comment="of its event"),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("matter", Uuid, nullable=False, comment="the form or hold"),
    Column("type", Text, nullable=False, comment="event type, as published"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("facts", JSONB, nullable=False, comment="what the event says of it, nothing personal"),
    Column("sealed", LargeBinary, comment="{code: {after}} under the subject's key, as in the event"),
    Index("credit_step_by_matter", "matter", "at", "id"),
    Index("credit_step_by_customer", "customer_id", "at", "id"),
    comment="what happened to forms and holds",
)

CREDIT_BILL = Table(
    "credit_bill",
    METADATA,
    Column("source_id", Text, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("credit_account.customer_id"), nullable=False, comment="whose it is"),
    Column("recorded_for", Uuid, nullable=False, comment="whom the feed names"),
    Column("supplied_on", Date, nullable=False),
    Column("due_on", Date, nullable=False, comment="the last day for paying it"),
    Column("amount_fen", BigInteger, nullable=False),
    Column("paid_fen", BigInteger, nullable=False, comment="sum of its payments"),
    Column("withdrawn", Boolean, nullable=False, comment="cancelled: counts no more"),
    Column("overdue_at", DateTime(timezone=True), comment="since when it counts as overdue"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("credit_bill_by_customer", "customer_id", "recorded_at", "source_id"),
    Index("credit_bill_unpaid", "due_on", "source_id", postgresql_where=text(_OPEN)),
    Index("credit_bill_unpaid_of", "customer_id", "due_on", postgresql_where=text(_OPEN)),
    Index("credit_bill_to_tell", "due_on", postgresql_where=text(f"overdue_at IS NULL AND {_OPEN}")),
    comment="what was supplied on credit",
)

CREDIT_PAYMENT = Table(
    "credit_payment",
    METADATA,
    Column("source_id", Text, primary_key=True),
    Column("bill", Text, ForeignKey("credit_bill.source_id"), nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("withdrawn", Boolean, nullable=False, comment="bounced or recorded in error: counts no more"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("credit_payment_by_bill", "bill"),
    comment="payments of bills",
)
