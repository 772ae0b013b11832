"""Explanations: every sub-expression that took part, its value, and where an unknown begins."""

from decimal import Decimal

import pytest

from shared import expressions
from shared.expressions import Context, Note, Schema, Type

SCHEMA = Schema(
    {"amount": Type.MONEY, "orders": Type.NUMBER, "region": Type.CODE, "name": Type.TEXT, "vip": Type.BOOLEAN},
    lists=frozenset({"regions"}),
    tables=True,
    prior=True,
)
CONTEXT = Context(lists={"regions": {}}, rows=[{"amount": Decimal(3)}], prior_rows=[])


def explained(text: str, **row: object) -> list[tuple[str, object, Note | None]]:
    steps = expressions.compile(text, SCHEMA).explain(row, CONTEXT)
    return [(step.text, step.value, step.note) for step in steps]


def test_operands_come_before_what_is_made_of_them_and_the_last_step_is_the_whole() -> None:
    steps = expressions.compile("amount/orders>=100 and vip", SCHEMA).explain(
        {"amount": Decimal(500), "orders": 4, "vip": True}, CONTEXT
    )
    assert [(step.depth, step.at, step.text, step.value) for step in steps] == [
        (4, 0, "amount", Decimal(500)),
        (4, 7, "orders", Decimal(4)),
        (3, 6, "amount / orders", Decimal(125)),
        (2, 13, "amount / orders >= 100", True),
        (2, 23, "vip", True),
        (1, 19, "amount / orders >= 100 and vip", True),
    ]


def test_a_branch_not_taken_is_left_out() -> None:
    assert explained("vip ? amount : amount / orders", vip=True, amount=Decimal(5)) == [
        ("vip", True, None),
        ("amount", Decimal(5), None),
        ("vip ? amount : amount / orders", Decimal(5), None),
    ]
    assert explained("vip ? 1 : 2") == [("vip", None, Note.MISSING), ("vip ? 1 : 2", None, None)]


def test_a_list_of_options_is_no_step() -> None:
    assert explained("region in ['11', '12']", region="12") == [
        ("region", "12", None),
        ("region in ['11', '12']", True, None),
    ]


def test_a_group_function_is_one_step() -> None:
    assert explained("sum(amount)") == [("sum(amount)", Decimal(3), None)]


def test_a_constant_alone_is_its_own_explanation() -> None:
    assert explained("100") == [("100", Decimal(100), None)]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("amount / 0", Note.DIVISION_BY_ZERO),
        ("amount / (orders - 4)", Note.DIVISION_BY_ZERO),
        ("amount * " + "9" * 38, Note.OUT_OF_RANGE),
        ("orders + round(" + "9" * 37 + ", 2)", None),
        ("round(" + "9" * 37 + ", 2)", Note.OUT_OF_RANGE),
        ("lookup('regions', region)", Note.NOT_FOUND),
        ("prior(amount)", Note.NOT_FOUND),
        ("matches(name, 'a+')", Note.NOT_FOUND),
        ("vip", Note.MISSING),
        ("not vip", None),
    ],
)
def test_an_unknown_says_where_it_begins(text: str, note: Note | None) -> None:
    *_, whole = explained(text, amount=Decimal(17), orders=4, region="11", name="a" * 300)
    assert whole == (expressions.format(text), None, note)
