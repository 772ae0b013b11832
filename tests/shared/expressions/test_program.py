"""Programs: what a compiled expression says of itself, its budget, and its place beside other threads."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from shared import expressions
from shared.expressions import Budget, Context, ExpressionError, Schema, Type

SCHEMA = Schema(
    {"a": Type.NUMBER, "b": Type.NUMBER, "total.c": Type.MONEY, "t": Type.TEXT, "ok": Type.BOOLEAN},
    tables=True,
    prior=True,
)


@pytest.mark.req("R0.3")
def test_a_program_names_the_fields_that_it_reads() -> None:
    program = expressions.compile("ok ? total.c / a : sum(total.c) - prior(total.c)", SCHEMA)
    assert program.fields == {"ok", "total.c", "a"}
    assert expressions.compile("1 + 1", SCHEMA).fields == frozenset()


def test_a_program_carries_its_canonical_text() -> None:
    assert expressions.compile("(a)+b>1&&ok", SCHEMA).text == "a + b > 1 and ok"


def test_cost_counts_what_evaluation_does() -> None:
    def cost(text: str) -> int:
        return expressions.compile(text, SCHEMA).cost

    assert cost("7") == 0
    assert cost("a + 1") == 2
    assert cost("a in [1, 2, 3]") == 2
    assert cost(r"matches(t, '\d{6}')") == 6
    assert cost(r"matches(t, '\d+\.\d+')") > 1_000 > cost(r"matches(t, '\d{1,18}\.\d{2}')")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a" + " " * 8_000, "too_long"),
        (" + ".join(["a"] * 101), "too_deep"),
        ("a in [" + ", ".join(["1"] * 499) + "]", "too_many_nodes"),
        (" or ".join([r"matches(t, '\d+\.\d+')"] * 4), "too_costly"),
    ],
)
def test_a_text_over_budget_is_refused(text: str, code: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        expressions.compile(text, SCHEMA)
    assert [problem.code for problem in refusal.value.problems] == [code]


def test_a_text_at_its_budget_is_taken() -> None:
    assert expressions.compile("a" + " " * 7_999, SCHEMA).evaluate({"a": 1}, Context()) == 1
    assert expressions.compile(" + ".join(["a"] * 100), SCHEMA).evaluate({"a": 1}, Context()) == 100
    assert expressions.compile("(" * 39 + "a" + ")" * 39, SCHEMA).text == "a"


def test_a_caller_may_set_a_smaller_budget() -> None:
    with pytest.raises(ExpressionError, match="at most 3"):
        expressions.compile("a + b + 1", SCHEMA, budget=Budget(nodes=3))
    with pytest.raises(ExpressionError, match="at most 3"):
        expressions.format("a + b + 1", budget=Budget(nodes=3))


def test_threads_share_a_program_and_a_context() -> None:
    rows = [{"a": Decimal(number), "b": Decimal(number % 5)} for number in range(200)]
    program = expressions.compile("sum_by(a, b) - a * count()", SCHEMA)
    context = Context(rows=rows)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: program.evaluate(row, context), rows))
    alone = Context(rows=rows)
    assert found == [program.evaluate(row, alone) for row in rows]
