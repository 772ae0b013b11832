"""What holds for every text and row: spelling round-trips, compiling and evaluating are total, arithmetic is exact."""

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from shared import expressions
from shared.expressions import Context, ExpressionError, Schema, Type
from shared.expressions.formatter import text_of
from shared.expressions.parser import parse
from shared.expressions.tree import Binary, Call, Conditional, Field, Literal, Logic, Member, Node, Unary

SCHEMA = Schema(
    {
        "n": Type.NUMBER,
        "m": Type.MONEY,
        "t": Type.TEXT,
        "c": Type.CODE,
        "d": Type.DATE,
        "b": Type.BOOLEAN,
        "x.y": Type.NUMBER,
    },
    lists=frozenset({"list"}),
    tables=True,
    prior=True,
    calendar=True,
)

numbers = st.decimals(allow_nan=False, allow_infinity=False)
rows = st.fixed_dictionaries(
    {},
    optional={
        "n": st.none() | st.integers() | numbers,
        "m": st.none() | st.decimals(min_value=-(10**15), max_value=10**15, places=2),
        "t": st.none() | st.text(),
        "c": st.none() | st.sampled_from(["11", "12", ""]),
        "d": st.none() | st.dates(),
        "b": st.none() | st.booleans(),
        "x.y": st.none() | numbers,
    },
)

literals = st.one_of(
    st.none(),
    st.booleans(),
    st.dates(),
    st.text(st.characters(exclude_categories=["Cc"])),
    st.decimals(min_value=0, max_value=10**12, places=3).map(abs),
).map(lambda value: Literal(value, 0))
options = literals.filter(lambda node: node.value is not None and not isinstance(node.value, bool))


def larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    signs = st.sampled_from(["+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">="])
    calls = st.sampled_from(["is_blank", "sum_by", "prior", "unique", "min", "round", "coalesce", "days", "nonsense"])
    return st.one_of(
        st.builds(Unary, st.sampled_from(["-", "not"]), inner, st.just(0)),
        st.builds(Binary, signs, inner, inner, st.just(0)),
        st.builds(
            Logic, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple), st.just(0)
        ),
        st.builds(Member, inner, st.lists(options, min_size=1, max_size=3).map(tuple), st.just(0)),
        st.builds(Conditional, inner, inner, inner, st.just(0)),
        st.builds(Call, calls, st.lists(inner, max_size=3).map(tuple), st.just(0)),
    )


fields = st.sampled_from(sorted(SCHEMA.fields)).map(lambda name: Field(name, 0))
trees = st.recursive(literals | fields, larger, max_leaves=12)


LEAVES = {
    "number": ["n", "x.y", "0", "1.5", "9" * 30],
    "money": ["m"],
    "text": ["t", "c", "'11'", "''"],
    "date": ["d", "date('0001-01-01')", "date('9999-12-31')"],
    "boolean": ["b", "true", "false"],
}
TEMPLATES = {
    "number": [
        *(f"(number {sign} number)" for sign in "+-*/"),
        "(money / money)",
        "round(number, 2)",
        "-number",
        "size(text)",
        "days(date, date)",
        "workdays(date, d)",
        "sum_by(number_leaf, boolean_leaf, c)",
        "count_by(t, number_leaf)",
        "prior(n)",
        "(boolean ? number : number)",
    ],
    "money": ["(money * number)", "max(money, abs(money), 5)", "sum(m - prior(m))", "(boolean ? money : 0)"],
    "text": ["lookup('list', text)", "coalesce(text, text)"],
    "date": ["max(date, date)", "min_by(d, c)"],
    "boolean": [
        *(f"(boolean {word} boolean)" for word in ("and", "or", "==")),
        *(f"(number {sign} number)" for sign in ("<", "<=", ">", ">=", "==", "!=")),
        "(not boolean)",
        "(money >= 500)",
        "(date < date)",
        "is_blank(text)",
        "matches(text, '[0-9]+')",
        "unique(c, number_leaf)",
        "in_list('list', text)",
        "(text in ['11', 'x'])",
    ],
}
PLACE = re.compile(rf"\b({'|'.join(TEMPLATES)})(_leaf)?\b(?!\(')")


@st.composite
def sound(draw: st.DrawFn, kind: str, depth: int = 3) -> str:
    """A well-typed expression of a kind."""

    def fill(place: re.Match[str]) -> str:
        return draw(sound(place[1], 0 if place[2] else depth - 1))

    if depth == 0:
        return draw(st.sampled_from(LEAVES[kind]))
    return PLACE.sub(fill, draw(st.sampled_from(TEMPLATES[kind])))


@settings(max_examples=500, deadline=None)
@given(trees)
def test_the_canonical_text_of_a_tree_parses_to_that_tree(tree: Node) -> None:
    text = text_of(tree)
    again = parse(text, nesting=1_000)
    assert repr(again) == repr(tree)
    assert text_of(again) == text


@settings(deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["a", "n", "(", ")", "not ", "-", "?", ":", "in", "[", "1", "'", ","])).map("".join)
)
def test_any_text_is_a_program_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        program = expressions.compile(text, SCHEMA)
    except ExpressionError as refusal:
        assert refusal.problems
        for problem in refusal.problems:
            assert 0 <= problem.offset <= len(text)
            before = text[: problem.offset].split("\n")
            assert (problem.line, problem.column) == (len(before), len(before[-1]) + 1)
    else:
        assert expressions.format(program.text) == program.text


@settings(deadline=None)
@given(trees)
def test_any_grammatical_text_is_a_program_or_refused_by_its_types(tree: Node) -> None:
    text = text_of(tree)
    try:
        program = expressions.compile(text, SCHEMA)
    except ExpressionError as refusal:
        assert all(0 <= problem.offset < len(text) for problem in refusal.problems)
    else:
        assert program.text == text


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["number", "money", "text", "date", "boolean"]).flatmap(
        lambda kind: st.tuples(st.just(kind), sound(kind))
    ),
    st.lists(rows, min_size=1, max_size=4),
    st.lists(rows, max_size=3),
)
def test_any_row_of_the_right_types_has_a_value_of_the_right_type_or_none(
    drawn: tuple[str, str], table: list[dict[str, object]], before: list[dict[str, object]]
) -> None:
    kind, text = drawn
    program = expressions.compile(text, SCHEMA)
    lists = {"list": {"11": "label"}}
    context = Context(lists, lambda start, end: (end - start).days, table, ("c",), before)
    expected = {"number": Decimal, "money": Decimal, "text": str, "date": date, "boolean": bool}[kind]
    canonical = expressions.compile(program.text, SCHEMA)
    for row in table:
        value = program.evaluate(row, context)
        assert value is None or type(value) is expected
        assert not isinstance(value, Decimal) or value.is_finite()
        assert canonical.evaluate(row, context) == value
        assert program.explain(row, context)[-1].value == value


small = st.decimals(min_value=-(10**8), max_value=10**8, places=4)


@settings(deadline=None)
@given(small, small, small)
def test_arithmetic_is_exact(n: Decimal, m: Decimal, y: Decimal) -> None:
    row = {"n": n, "m": m, "x.y": y}
    value = expressions.compile("(m * n - m) * x.y + m", SCHEMA).evaluate(row, Context())
    exact = (Fraction(m) * Fraction(n) - Fraction(m)) * Fraction(y) + Fraction(m)
    assert value is not None
    assert Fraction(value) == exact


kleene = st.sampled_from([True, False, None])


@settings(deadline=None)
@given(kleene, kleene, kleene)
def test_logic_is_kleenes_in_every_law(p: bool | None, q: bool | None, r: bool | None) -> None:
    schema = Schema(dict.fromkeys("pqr", Type.BOOLEAN))
    row = {"p": p, "q": q, "r": r}

    def same(left: str, right: str) -> bool:
        values = [expressions.compile(text, schema).evaluate(row, Context()) for text in (left, right)]
        return values[0] is values[1]

    assert same("p and q", "q and p")
    assert same("p or q", "q or p")
    assert same("p and (q and r)", "(p and q) and r")
    assert same("p and (q or r)", "p and q or p and r")
    assert same("p or q and r", "(p or q) and (p or r)")
    assert same("not (p and q)", "not p or not q")
    assert same("not not p", "p")
    assert same("p and (p or q)", "p")
