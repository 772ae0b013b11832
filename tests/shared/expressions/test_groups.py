"""Group functions over a table, and the prior period."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, overload

import pytest

from shared import expressions
from shared.expressions import Context, ContextError, Row, Schema, Type

SCHEMA = Schema(
    {"id": Type.TEXT, "branch": Type.CODE, "amount": Type.MONEY, "total": Type.MONEY}, tables=True, prior=True
)
ROWS: list[dict[str, Any]] = [
    {"id": "a", "branch": "n", "amount": Decimal("1.50")},
    {"id": "b", "branch": "n", "amount": Decimal("2.25")},
    {"id": "c", "branch": "s", "amount": None},
    {"id": "a", "branch": "s", "amount": Decimal("-4")},
    {"id": "e", "branch": None, "amount": Decimal("10")},
    {"id": "f", "branch": "w", "amount": None},
]


def column(text: str, rows: Sequence[Row] = ROWS, **parts: Any) -> list[object]:
    program = expressions.compile(text, SCHEMA)
    context = Context(rows=rows, **parts)
    return [program.evaluate(row, context) for row in rows]


def decimals(*values: str | None) -> list[Decimal | None]:
    return [None if value is None else Decimal(value) for value in values]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count()", decimals(*["6"] * 6)),
        ("sum(amount)", decimals(*["9.75"] * 6)),
        ("count_by(branch)", decimals("2", "2", "2", "2", None, "1")),
        ("count_by(id, branch)", decimals("1", "1", "1", "1", None, "1")),
        ("sum_by(amount, branch)", decimals("3.75", "3.75", "-4", "-4", None, "0")),
        ("sum_by(amount * 2, branch)", decimals("7.50", "7.50", "-8", "-8", None, "0")),
        ("min_by(amount, branch)", decimals("1.50", "1.50", "-4", "-4", None, None)),
        ("max_by(amount, branch)", decimals("2.25", "2.25", "-4", "-4", None, None)),
        ("unique(id)", [False, True, True, False, True, True]),
        ("unique(id, branch)", [True, True, True, True, None, True]),
        ("sum_by(amount, id == 'a')", decimals("-2.5", "12.25", "12.25", "-2.5", "12.25", "12.25")),
    ],
)
def test_each_row_sees_its_group(text: str, expected: list[object]) -> None:
    assert column(text) == expected


def test_an_empty_table_counts_and_sums_to_nothing() -> None:
    program = expressions.compile("count() == 0 and sum(amount) == 0 and count_by(id) == 0", SCHEMA)
    assert program.evaluate({"id": "a"}, Context(rows=[])) is True


def test_totals_compare_with_the_sum_of_the_rows() -> None:
    program = expressions.compile("total == sum(amount)", SCHEMA)
    assert program.evaluate({"total": Decimal("9.75")}, Context(rows=ROWS)) is True
    assert program.evaluate({"total": Decimal("9.74")}, Context(rows=ROWS)) is False


def test_a_sum_that_does_not_fit_is_unknown() -> None:
    rows = [{"amount": Decimal("9" * 38)}, {"amount": Decimal(2)}, {"amount": Decimal(-2)}]
    assert column("sum(amount)", rows) == [None, None, None]


class CountedRows(Sequence[Row]):
    """A table that counts how often it is read through."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self.passes = 0

    def __iter__(self) -> Iterator[Row]:
        self.passes += 1
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        return self._rows[index]


def test_the_table_is_read_once_a_group_function_however_many_rows_ask() -> None:
    table = CountedRows([{"id": str(number % 7), "amount": Decimal(number)} for number in range(500)])
    context = Context(rows=table)
    program = expressions.compile("sum_by(amount, id) > 0 and count() > count_by(id)", SCHEMA)
    table.passes = 0
    assert {program.evaluate(row, context) for row in list(table)[1:]} == {True}
    assert table.passes == 1 + 3


def test_group_functions_need_the_table() -> None:
    with pytest.raises(ContextError, match="no table"):
        expressions.compile("count()", SCHEMA).evaluate({}, Context())


def test_prior_finds_the_row_of_the_same_key() -> None:
    before = [
        {"id": "a", "branch": "n", "amount": Decimal(1)},
        {"id": "b", "branch": "n", "amount": None},
        {"id": "c", "branch": "s", "amount": Decimal(3)},
        {"id": "c", "branch": "s", "amount": Decimal(4)},
        {"id": "e", "branch": None, "amount": Decimal(5)},
    ]
    found = column("amount - prior(amount)", prior_rows=before, key=("id", "branch"))
    assert found == decimals("0.50", None, None, None, None, None)
    assert column("prior(amount)", prior_rows=before, key=("id",))[2:5] == decimals(None, "1", "5")


def test_totals_find_the_only_row_of_the_prior_period() -> None:
    program = expressions.compile("abs(total - prior(total)) <= prior(total) * 0.3", SCHEMA)
    assert program.evaluate({"total": Decimal(130)}, Context(prior_rows=[{"total": Decimal(100)}])) is True
    assert program.evaluate({"total": Decimal(131)}, Context(prior_rows=[{"total": Decimal(100)}])) is False
    assert program.evaluate({"total": Decimal(131)}, Context(prior_rows=[])) is None


def test_prior_needs_the_prior_period() -> None:
    with pytest.raises(ContextError, match="no prior period"):
        expressions.compile("prior(total)", SCHEMA).evaluate({}, Context())
