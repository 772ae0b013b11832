"""Which terms a bill is judged by, and what would be paid too much."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.customer.credit.rules import Form, Known, State, bill_faults, overpaid
from shared.regime import Credit, load

pytestmark = pytest.mark.req("R7.5")
CREDIT = load(Path(__file__).parents[3] / "regimes").get(Credit, "credit_terms", on=date(2026, 11, 30))
CUSTOMER, FORMER = UUID(int=1), UUID(int=2)
DAY = date(2026, 1, 31)
NOBODY = Known({}, {})


def form(customer: UUID = CUSTOMER, days: int = 31, first: date | None = DAY, last: date | None = None) -> Form:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Form(UUID(int=9), customer, State.IN_FORCE, days, 1, "staff/a", moment, None, {}, first, last)


def told(due: date, *terms: Form, supplied: date = DAY, known: Known = NOBODY) -> list[str]:
    row = {"source_id": "b", "customer_id": CUSTOMER, "supplied_on": supplied, "due_on": due, "amount_fen": 1}
    reached = {
        each: {"merged_into": FORMER if each == CUSTOMER and known.bills else None} for each in (CUSTOMER, FORMER)
    }
    return [each.code for each in bill_faults([row], reached, known, terms, CREDIT, date(2026, 11, 30))]


def test_no_bill_runs_beyond_a_month_however_long_the_term() -> None:
    assert told(date(2026, 2, 28), form()) == []
    assert told(date(2026, 3, 1), form()) == ["out_of_range"]
    assert told(date(2026, 3, 3), form(), supplied=date(2026, 2, 3)) == []
    assert told(date(2026, 3, 4), form(), supplied=date(2026, 2, 3)) == ["out_of_range"]


def test_terms_hold_for_what_was_supplied_on_their_days() -> None:
    before, after = DAY - timedelta(1), DAY + timedelta(1)
    assert told(after, form(first=after)) == ["no_credit"]
    assert told(after, form(first=before, last=before)) == ["no_credit"]
    assert told(after, form(first=DAY, last=DAY)) == []
    assert told(after, form(first=None)) == ["no_credit"], "it was never agreed to"


def test_on_the_day_of_a_change_the_longer_term_counts() -> None:
    terms = form(days=5, last=DAY), form(days=10)
    assert told(DAY + timedelta(10), *terms) == []
    assert told(DAY + timedelta(11), *terms) == ["out_of_range"]


def test_a_correction_after_a_merge_goes_by_the_terms_of_whoever_has_the_bill() -> None:
    known = Known({"b": {"customer_id": FORMER, "recorded_for": CUSTOMER}}, {})
    assert told(DAY, form(FORMER), known=known) == []


def test_what_was_taken_back_is_not_paid() -> None:
    bill = {"source_id": "b", "customer_id": CUSTOMER, "amount_fen": 10}
    stored = {"p": {"bill": "b", "amount_fen": 10, "withdrawn": False}}
    fresh = [{"source_id": "q", "bill": "b", "amount_fen": 10, "withdrawn": False}]
    back = [*fresh, {"source_id": "p", "bill": "b", "amount_fen": 10, "withdrawn": True}]
    known = Known({"b": bill}, stored)
    assert [each.pointer for each in overpaid([], fresh, {CUSTOMER}, known)] == ["/payments/0/amount_fen"]
    assert list(overpaid([], back, {CUSTOMER}, known)) == []
    assert [each.pointer for each in overpaid([{**bill, "amount_fen": 9}], [], {CUSTOMER}, known)] == [
        "/bills/0/amount_fen"
    ]
