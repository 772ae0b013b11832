"""The grammar and its canonical spelling: what parses to what, what is refused, and where."""

from datetime import date
from decimal import Decimal

import pytest

from shared import expressions
from shared.expressions import ExpressionError
from shared.expressions.parser import parse
from shared.expressions.tree import Binary, Call, Conditional, Field, Literal, Logic, Member, Node, Unary


def tree(text: str) -> Node:
    return parse(text, nesting=40)


def field(name: str) -> Field:
    return Field(name, 0)


def number(digits: str) -> Literal:
    return Literal(Decimal(digits), 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b - c", Binary("-", Binary("-", field("a"), field("b"), 0), field("c"), 0)),
        ("a - (b - c)", Binary("-", field("a"), Binary("-", field("b"), field("c"), 0), 0)),
        ("a + b * c", Binary("+", field("a"), Binary("*", field("b"), field("c"), 0), 0)),
        ("-a * b", Binary("*", Unary("-", field("a"), 0), field("b"), 0)),
        ("not a == b", Unary("not", Binary("==", field("a"), field("b"), 0), 0)),
        ("not a and b", Logic("and", (Unary("not", field("a"), 0), field("b")), 0)),
        ("a or b and c", Logic("or", (field("a"), Logic("and", (field("b"), field("c")), 0)), 0)),
        ("a and b and c", Logic("and", (field("a"), field("b"), field("c")), 0)),
        ("(a and b) and c", Logic("and", (Logic("and", (field("a"), field("b")), 0), field("c")), 0)),
        ("a ? b : c ? d : e", Conditional(field("a"), field("b"), Conditional(*map(field, "cde"), 0), 0)),
        ("total.x_12m > 1.50", Binary(">", field("total.x_12m"), number("1.50"), 0)),
        ("x in ['a', -1.5]", Member(field("x"), (Literal("a", 0), number("-1.5")), 0)),
        ("f(a, g())", Call("f", (field("a"), Call("g", (), 0)), 0)),
        ("date('2026-02-28')", Literal(date(2026, 2, 28), 0)),
        ("""'it''s "so"'""", Literal("""it's "so\"""", 0)),
        ("a\n  and\n\tb", Logic("and", (field("a"), field("b")), 0)),
    ],
)
def test_text_becomes_this_tree(text: str, expected: Node) -> None:
    assert repr(tree(text)) == repr(expected)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a&&b||!c", "a and b or not c"),
        ("((a))", "a"),
        ("(a+b)*c-(d)", "(a + b) * c - d"),
        ('"say ""no"""', """'say "no"'"""),
        ("007.50", "7.50"),
        ("- -a", "--a"),
        ("(a?b:c)?(d?e:f):(g?h:i)", "(a ? b : c) ? d ? e : f : g ? h : i"),
        ("a - (b - c)", "a - (b - c)"),
        ("a / (b * c) * d", "a / (b * c) * d"),
        ("(a == b) == c", "(a == b) == c"),
        ("a == (b != c)", "a == (b != c)"),
        ("-(a + b) * -c", "-(a + b) * -c"),
        ("not (a and b) and (not c) == d", "not (a and b) and (not c) == d"),
        ("(a or b) in [1,2]", "(a or b) in [1, 2]"),
        ("true and null", "true and null"),
    ],
)
def test_every_spelling_has_one_canonical_form(text: str, canonical: str) -> None:
    assert expressions.format(text) == canonical
    assert expressions.format(canonical) == canonical


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "seen"),
    [
        ("", "unexpected", 1, 1, "the end"),
        ("a +", "unexpected", 1, 4, "the end"),
        ("a\nb", "unexpected", 2, 1, "b"),
        ("a < b < c", "unexpected", 1, 7, "<"),
        ("a == b in [1]", "unexpected", 1, 8, "in"),
        ("a + not b", "unexpected", 1, 5, "not"),
        ("f(a b)", "unexpected", 1, 5, "b"),
        ("(a", "unexpected", 1, 3, "the end"),
        ("a ? b", "unexpected", 1, 6, "the end"),
        ("x in []", "unexpected", 1, 7, "]"),
        ("x in [y]", "unexpected", 1, 7, "y"),
        ("x in [true]", "unexpected", 1, 7, "true"),
        ("date(x)", "unexpected", 1, 6, "x"),
        ("date('2026-2-3')", "bad_date", 1, 6, "2026-2-3"),
        ("a and\n date('2026-02-30') > b", "bad_date", 2, 7, "2026-02-30"),
        ("1" * 39, "bad_number", 1, 1, "1" * 39),
        ("a == 'b", "unterminated_text", 1, 6, "'"),
        ("'two\nlines'", "unterminated_text", 1, 1, "'"),
        ("a = b", "bad_character", 1, 3, "'='"),
        ("金额 > 1", "bad_character", 1, 1, "'金'"),
        ("1.", "bad_character", 1, 2, "'.'"),
        ("__import__('os').system", "bad_character", 1, 17, "'.'"),
        ("[x for x in y]", "unexpected", 1, 1, "["),
    ],
)
def test_a_text_outside_the_grammar_is_refused_where_it_leaves_it(
    text: str, code: str, line: int, column: int, seen: str
) -> None:
    with pytest.raises(ExpressionError) as refusal:
        tree(text)
    (problem,) = refusal.value.problems
    assert (problem.code, problem.line, problem.column, problem.seen) == (code, line, column, seen)
    assert problem.expected


def test_a_long_culprit_is_cut() -> None:
    with pytest.raises(ExpressionError) as refusal:
        tree("a " + "b" * 500)
    assert refusal.value.problems[0].seen == "b" * 60 + "…"


@pytest.mark.parametrize("text", ["(" * 41 + "a" + ")" * 41, "-" * 41 + "a", "not " * 41 + "a", "f(" * 41 + ")" * 41])
def test_nesting_has_a_limit(text: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        tree(text)
    assert refusal.value.problems[0].code == "too_deep"


def test_a_long_chain_is_no_nesting() -> None:
    assert len(tree(" and ".join(["a"] * 200)).operands) == 200
