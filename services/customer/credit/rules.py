"""What credit is: forms, holds, bills; what is wrong with what somebody asks for or feeds. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from shared.errors import Fault
from shared.regime import BadValue, Credit, Text, dump_value, read_value

Row = Mapping[str, Any]
"""A row of a feed, as it is given."""


class Stored(Protocol):
    """A row of a table."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""
        ...


class State(StrEnum):
    """How far a form has come. Only one that is in force gives credit."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    RETURNED = "returned"
    LAPSED = "lapsed"
    REPLACED = "replaced"
    ENDED = "ended"


class Supply(StrEnum):
    """Whether a customer gets goods. `suspended` ends with payment, `stopped` only when somebody decides so."""

    ALLOWED = "allowed"
    SUSPENDED = "suspended"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it is stored; what was asked and said lies with its first step. Days are of China, both included."""

    id: UUID
    customer_id: UUID
    state: State
    term_days: int
    limit_fen: int
    proposed_by: str
    proposed_at: datetime
    decide_until: datetime | None
    definition: Mapping[str, str]
    from_on: date | None
    ended_on: date | None

    def state_at(self, now: datetime) -> State:
        """How it stands at a moment, whether the job has come by or not."""
        is_over = self.decide_until is not None and self.decide_until <= now
        return State.LAPSED if self.state is State.PROPOSED and is_over else self.state

    def covers(self, day: date) -> bool:
        """Whether what is supplied on a day may be paid later by it."""
        return self.from_on is not None and self.from_on <= day and (self.ended_on is None or day <= self.ended_on)


@dataclass(frozen=True, slots=True)
class Hold:
    """Supply that is suspended or stopped; `allowed` once it is over."""

    id: UUID
    customer_id: UUID
    state: Supply
    since: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is recorded so far, by source id: bills that a feed touches, and all payments of them."""

    bills: Mapping[str, Stored]
    payments: Mapping[str, Stored]

    @property
    def customers(self) -> set[UUID]:
        """Whose bills they are."""
        return {bill["customer_id"] for bill in self.bills.values()}

    def owner(self, row: Row) -> UUID:
        """Whose a bill of a feed is: of whoever has it, if files were merged since the feed named a customer first."""
        known = self.bills.get(row["source_id"])
        is_same = known is not None and known["recorded_for"] == row["customer_id"]
        owner: UUID = known["customer_id"] if known is not None and is_same else row["customer_id"]
        return owner


def read_form(
    credit: Credit, term_days: int, raw: Row, lists: Mapping[str, Mapping[str, Text]], today: date
) -> tuple[dict[str, Any], list[Fault]]:
    """The answers as they are kept, and everything that is wrong with a form. `lists`: codes of the code lists."""
    answers, faults = dict[str, Any](), []
    if not 1 <= term_days <= credit.longest.days:
        faults.append(Fault("/term_days", "out_of_range", term_days, f"from 1 to {credit.longest.days} days"))
    questions = {each.code: each for each in credit.questions}
    unknown = sorted(raw.keys() - questions.keys())
    faults += [Fault(_pointer(code), "unknown_answer", code[:80], sorted(questions)) for code in unknown]
    for code, question in questions.items():
        if raw.get(code) is None:
            if question.required:
                faults.append(Fault(_pointer(code), "required", None, "an answer"))
            continue
        try:
            answers[code] = dump_value(read_value(question, raw[code], lists.get(question.codelist or ""), on=today))
        except BadValue as bad:
            faults.append(Fault(_pointer(code), bad.code, bad.seen, bad.expected))
    return answers, faults


def _pointer(code: str) -> str:
    return f"/answers/{code[:80].replace('~', '~0').replace('/', '~1')}"


def bill_faults(
    rows: Sequence[Row],
    reached: Mapping[UUID, Stored],
    known: Known,
    terms: Collection[Form],
    credit: Credit,
    today: date,
) -> Iterator[Fault]:
    """Customers and source ids that are not the caller's, days that cannot be, no credit, terms too long."""
    often = Counter(row["source_id"] for row in rows)
    for position, row in enumerate(rows):
        at, old = f"/bills/{position}", known.bills.get(row["source_id"])
        file = reached.get(row["customer_id"])
        if often[row["source_id"]] > 1:
            yield Fault(f"{at}/source_id", "doubled", row["source_id"], "each source id once")
        if old is not None and old["customer_id"] not in reached:
            yield Fault(f"{at}/source_id", "taken", row["source_id"], "a source id of a customer in your reach")
        if file is None:
            yield Fault(f"{at}/customer_id", "no_such_customer", str(row["customer_id"]), "a customer in your reach")
        elif file["merged_into"] and old is None:
            expected = f"{file['merged_into']}, into which this file was merged"
            yield Fault(f"{at}/customer_id", "customer_merged", str(row["customer_id"]), expected)
        elif row["supplied_on"] > today:
            yield Fault(f"{at}/supplied_on", "in_the_future", str(row["supplied_on"]), f"not after {today}")
        else:
            whose = {row["customer_id"], known.owner(row)}
            yield from _term_faults(at, row, [each for each in terms if each.customer_id in whose], credit)


def _term_faults(at: str, row: Row, terms: Collection[Form], credit: Credit) -> Iterator[Fault]:
    supplied, due = row["supplied_on"], row["due_on"]
    latest = [credit.latest(supplied, each.term_days) for each in terms if each.covers(supplied)]
    if not latest:
        yield Fault(f"{at}/supplied_on", "no_credit", str(supplied), "a day on which credit terms are in force")
    elif not supplied <= due <= max(latest):
        yield Fault(f"{at}/due_on", "out_of_range", str(due), f"from {supplied} to {max(latest)}")


def payment_faults(
    rows: Sequence[Row], bills: Sequence[Row], reached: Collection[UUID], known: Known, today: date
) -> Iterator[Fault]:
    """Source ids that stand twice or are of others' bills, bills that are not there, days to come."""
    often = Counter(row["source_id"] for row in rows)
    own = {each for each, bill in known.bills.items() if bill["customer_id"] in reached}
    there = own | {row["source_id"] for row in bills}
    for position, row in enumerate(rows):
        at, old = f"/payments/{position}", known.payments.get(row["source_id"])
        if often[row["source_id"]] > 1:
            yield Fault(f"{at}/source_id", "doubled", row["source_id"], "each source id once")
        if old is not None and old["bill"] not in own:
            yield Fault(f"{at}/source_id", "taken", row["source_id"], "a source id of a customer in your reach")
        if row["bill"] not in there:
            yield Fault(f"{at}/bill", "no_such_bill", row["bill"], "a bill of a customer in your reach")
        if row["paid_on"] > today:
            yield Fault(f"{at}/paid_on", "in_the_future", str(row["paid_on"]), f"not after {today}")


def overpaid(bills: Sequence[Row], payments: Sequence[Row], reached: Collection[UUID], known: Known) -> Iterator[Fault]:
    """Bills to which more would be paid than they amount to."""
    amounts = {each: bill["amount_fen"] for each, bill in known.bills.items() if bill["customer_id"] in reached}
    amounts |= {row["source_id"]: row["amount_fen"] for row in bills}
    standing: dict[str, Stored] = {**known.payments, **{row["source_id"]: row for row in payments}}
    paid = Counter[str]()
    for row in standing.values():
        paid[row["bill"]] += 0 if row["withdrawn"] else row["amount_fen"]
    too_much = {each for each, amount in amounts.items() if paid[each] > amount}
    for place, name, rows in (("bills", "source_id", bills), ("payments", "bill", payments)):
        for position, row in enumerate(rows):
            if (bill := row[name]) in too_much:
                yield Fault(f"/{place}/{position}/amount_fen", "overpaid", paid[bill], f"at most {amounts[bill]} paid")
