"""The meaning of every operator, function and form over one record, unknown values included."""

import decimal
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared import expressions
from shared.expressions import STANDARD, Context, ContextError, Function, RowError, Schema, Type

SCHEMA = Schema(
    {
        "amount": Type.MONEY,
        "rate": Type.NUMBER,
        "zero": Type.NUMBER,
        "none": Type.NUMBER,
        "name": Type.TEXT,
        "blank": Type.TEXT,
        "region": Type.CODE,
        "due_on": Type.DATE,
        "never_on": Type.DATE,
        "yes": Type.BOOLEAN,
        "no": Type.BOOLEAN,
        "unknown": Type.BOOLEAN,
    },
    lists=frozenset({"regions"}),
    calendar=True,
)
ROW = {
    "amount": Decimal("1234.50"),
    "rate": Decimal("0.35"),
    "zero": 0,
    "name": "North Shop",
    "blank": " \u3000",
    "region": "11",
    "due_on": date(2026, 2, 28),
    "yes": True,
    "no": False,
}


def weekdays(start: date, end: date) -> int | None:
    """Working days of a calendar that knows 2026 and no holiday."""
    days = [date.fromordinal(day) for day in range(start.toordinal() + 1, end.toordinal() + 1)]
    return sum(day.weekday() < 5 for day in days) if all(day.year == 2026 for day in days) else None


CONTEXT = Context(lists={"regions": {"11": "Beijing"}}, workdays=weekdays)


def value(text: str, row: dict[str, Any] = ROW, context: Context = CONTEXT) -> object:
    return expressions.compile(text, SCHEMA).evaluate(row, context)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amount + 0.50", Decimal("1235.00")),
        ("amount - amount", Decimal("0.00")),
        ("amount * rate", Decimal("432.0750")),
        ("amount / 2", Decimal("617.25")),
        ("-rate", Decimal("-0.35")),
        ("zero", Decimal(0)),
        ("-zero", Decimal(0)),
        ("round(-0.001, 2)", Decimal("0.00")),
        ("0.1 + 0.2 == 0.3", True),
        ("amount > 1234.49 and amount < 1234.51", True),
        ("amount >= 1234.5 and amount <= 1234.5 and not amount != 1234.5", True),
        ("amount in [1, 1234.5]", True),
        ("name == 'North Shop'", True),
        ("region in ['12', '13']", False),
        ("due_on < date('2026-03-01')", True),
        ("yes ? 1 : 2", Decimal(1)),
        ("no ? 1 : 2", Decimal(2)),
        ("yes == no", False),
        ("size('金额')", Decimal(2)),
        ("starts_with(name, 'North') and ends_with(name, 'op') and contains(name, 'h S')", True),
        ("contains(name, 'north')", False),
        ("is_blank(blank) and is_blank(none) and not is_blank(zero) and not is_blank(name)", True),
        ("coalesce(none, zero, 7)", Decimal(0)),
        ("abs(-amount)", Decimal("1234.50")),
        ("min(rate, zero, 2)", Decimal(0)),
        ("max(due_on, date('2026-03-01'))", date(2026, 3, 1)),
        ("round(2.5, 0)", Decimal(3)),
        ("round(-2.5, 0)", Decimal(-3)),
        ("round(1.005, 2)", Decimal("1.01")),
        ("round(rate, 4)", Decimal("0.3500")),
        ("days(date('2026-02-01'), due_on)", Decimal(27)),
        ("days(due_on, date('2026-02-01'))", Decimal(-27)),
        ("year(due_on)", Decimal(2026)),
        ("month(due_on)", Decimal(2)),
        ("quarter(date('2026-03-31')) * 10 + quarter(date('2026-04-01'))", Decimal(12)),
        ("workdays(date('2026-02-27'), date('2026-03-02'))", Decimal(1)),
        ("matches(region, '[0-9]{2}')", True),
        ("matches(name, 'North')", False),
        ("lookup('regions', region)", "Beijing"),
        ("in_list('regions', region)", True),
        ("in_list('regions', '12')", False),
    ],
)
def test_over_known_values(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)
    assert str(found) == str(expected)


@pytest.mark.parametrize(
    "text",
    [
        "none + 1",
        "1 - none",
        "-none",
        "none == none",
        "none != 1",
        "none in [1]",
        "not unknown",
        "unknown ? 1 : 1",
        "yes ? none : 1",
        "rate / zero",
        "zero / zero",
        "rate / zero > 1",
        "size(lookup('regions', '12'))",
        "round(none, 2)",
        "days(due_on, never_on)",
        "workdays(never_on, due_on)",
        "workdays(due_on, date('2027-01-31'))",
        "max(1, none)",
        "coalesce(none, none)",
        "9" * 38 + " * 11",
        "9" * 38 + " + 0.1",
        "0." + "1" * 37 + " * 0.99",
        "round(" + "9" * 38 + ", 2)",
    ],
)
def test_what_cannot_be_known_is_none(text: str) -> None:
    assert value(text) is None


@pytest.mark.parametrize("left", [True, False, None])
@pytest.mark.parametrize("right", [True, False, None])
def test_logic_is_kleenes(left: bool | None, right: bool | None) -> None:
    row = {"yes": left, "no": right}
    either = {left, right}
    assert value("yes and no", row) is (False if False in either else None if None in either else True)
    assert value("yes or no", row) is (True if True in either else None if None in either else False)
    assert value("not (yes and no)", row) is value("not yes or not no", row)
    assert value("not (yes or no)", row) is value("not yes and not no", row)


def test_money_of_eighteen_digits_keeps_every_fen() -> None:
    row = {"amount": Decimal("1234567890123456.78")}
    assert value("amount + 0.01", row) == Decimal("1234567890123456.79")
    assert value("amount == 1234567890123456.78", row) is True


def test_the_callers_decimal_context_does_not_matter() -> None:
    row = {"amount": Decimal("1234567890123456.78"), "rate": Decimal("-1.23456789")}
    with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact])):
        assert value("amount + 0.01", row) == Decimal("1234567890123456.79")
        assert value("abs(rate) + -rate", row) == Decimal("2.46913578")
        assert value("round(-rate, 8) - rate", row) == Decimal("2.46913578")
        assert value("max(rate, -rate)", row) == Decimal("1.23456789")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("amount", 1.5),
        ("amount", "12"),
        ("amount", True),
        ("rate", Decimal("NaN")),
        ("rate", Decimal("Infinity")),
        ("name", 12),
        ("region", b"11"),
        ("due_on", "2026-01-01"),
        ("due_on", datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))),
        ("yes", 1),
        ("yes", "true"),
    ],
)
def test_a_row_of_the_wrong_type_is_the_callers_error_and_shows_no_value(name: str, wrong: object) -> None:
    with pytest.raises(RowError, match=f"field '{name}' must be a") as refusal:
        value(name, {name: wrong})
    assert str(wrong) not in str(refusal.value).replace("'" + name + "'", "")


@pytest.mark.parametrize(
    "text", ["in_list('regions', region)", "lookup('regions', region)", "workdays(due_on, due_on)"]
)
def test_a_context_without_what_the_schema_promised_is_the_callers_error(text: str) -> None:
    with pytest.raises(ContextError, match="the context has no"):
        value(text, context=Context())


def test_a_function_from_outside_is_called_with_known_values_only() -> None:
    seen: list[str] = []

    def even(text: str) -> bool | None:
        seen.append(text)
        return int(text) % 2 == 0 if text.isdecimal() else None

    functions = expressions.extend(STANDARD, Function("is_even", (Type.TEXT,), Type.BOOLEAN, even, cost=7))
    program = expressions.compile("is_even(region)", SCHEMA, functions=functions)
    results = [program.evaluate({"region": region}, CONTEXT) for region in ("12", "13", "x", None)]
    assert results == [True, False, None, None]
    assert seen == ["12", "13", "x"]
    assert program.cost == 8
