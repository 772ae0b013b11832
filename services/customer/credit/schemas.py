"""HTTP shapes of credit; money in fen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
SourceId = Annotated[str, Field(min_length=1, max_length=100, description="the feeding system's own id of the row")]
Amount = Annotated[int, Field(ge=1, le=10**13, description="fen")]


class NewCreditForm(BaseModel):
    """The days that a customer may take to pay, how much may be unpaid at a time, and what was found out before:
    answers by the codes of the declared questions."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "term_days": 30, "limit_fen": 5_000_000,
                    "answers": {
                        "investigated_on": "2026-11-02", "means": "visit", "main_products": "示例食品",
                        "operating_state": "normal", "payment_record": "punctual", "credit_standing": "虚构",
                    },
                }
            ]
        },
    )  # fmt: skip

    term_days: int = Field(ge=-(2**31), lt=2**31)
    limit_fen: Amount
    answers: dict[str, Any]


class Reasoned(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class OverdueReport(BaseModel):
    """Why bills are unpaid, what is done about it, and when the customer says that they pay."""

    model_config = ConfigDict(extra="forbid")

    cause: Reason
    plan: Reason
    pays_on: date | None = None


class StepView(BaseModel):
    """What happened: type of the event, facts of it, and what was written (`withheld` if not for this reader)."""

    type: str
    at: datetime
    actor: str
    facts: dict[str, Any]
    said: dict[str, Any] | None
    withheld: bool


class CreditFormView(BaseModel):
    """A form: proposed, in_force, returned, lapsed, replaced or ended. `withheld`: what its reader may not see."""

    id: UUID
    customer_id: UUID
    state: str
    term_days: int
    limit_fen: int | None
    answers: dict[str, Any]
    withheld: list[str]
    proposed_by: str
    proposed_at: datetime
    decide_until: datetime | None
    from_on: date | None
    ended_on: date | None
    steps: list[StepView]


class SupplyView(BaseModel):
    """Whether the customer gets goods: allowed, suspended or stopped; since when, why (overdue, stopped), whether the
    report was made; the term in force, and what is owed. Amounts are null and `withheld` if not for this reader."""

    customer_id: UUID
    state: str
    since: datetime | None
    reason: str | None
    hold: UUID | None
    reported: bool
    term_days: int | None
    limit_fen: int | None
    outstanding_fen: int | None
    overdue_fen: int | None
    overdue_bills: int
    due_on: date | None = Field(description="the earliest last day of what is unpaid")
    withheld: bool


class HoldView(BaseModel):
    """What held up the supply; `allowed` once it is over."""

    id: UUID
    state: str
    since: datetime
    ended_at: datetime | None
    steps: list[StepView]


class BillIn(BaseModel):
    """What was supplied on credit; `withdrawn` once it is cancelled."""

    model_config = ConfigDict(extra="forbid")

    source_id: SourceId
    customer_id: UUID
    supplied_on: date
    due_on: date = Field(description="the last day for paying it")
    amount_fen: Amount
    withdrawn: bool = False


class PaymentIn(BaseModel):
    """A payment of a bill, or a part of it; `withdrawn` once it bounced or was recorded in error."""

    model_config = ConfigDict(extra="forbid")

    source_id: SourceId
    bill: SourceId
    paid_on: date
    amount_fen: Amount
    withdrawn: bool = False


class CreditFeed(BaseModel):
    """Rows to record or to correct: a source id that is known already replaces its row."""

    model_config = ConfigDict(extra="forbid")

    bills: list[BillIn] = Field(default=[], max_length=5000)
    payments: list[PaymentIn] = Field(default=[], max_length=5000)


class RecordedBills(BaseModel):
    """How many rows were new or corrected, how many stood so already, and how many customers they concern."""

    recorded: int
    unchanged: int
    customers: int


class DueBill(BaseModel):
    """An unpaid bill. Number and name as far as the reader sees them; amounts null and `withheld` if not at all."""

    bill: str
    customer_id: UUID
    kind: str
    number: str | None
    name: str | None
    unit: str
    manager: str | None
    supplied_on: date
    due_on: date
    days_overdue: int
    overdue_at: datetime | None
    amount_fen: int | None
    paid_fen: int | None
    withheld: bool
    supply: str
