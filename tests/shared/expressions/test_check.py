"""The type checker: what has which type, what is refused, and that all faults come at once."""

import pytest

from shared import expressions
from shared.expressions import STANDARD, ExpressionError, Function, Schema, Type
from shared.expressions import calls as meanings
from shared.expressions.forms import FORMS

SCHEMA = Schema(
    {
        "amount": Type.MONEY,
        "limit": Type.MONEY,
        "rate": Type.NUMBER,
        "name": Type.TEXT,
        "region": Type.CODE,
        "due_on": Type.DATE,
        "paid_on": Type.DATE,
        "vip": Type.BOOLEAN,
        "total.orders_12m": Type.NUMBER,
    },
    lists=frozenset({"regions"}),
    tables=True,
    prior=True,
    calendar=True,
)
RECORD = Schema(SCHEMA.fields)


def faults(text: str, schema: Schema = SCHEMA) -> list[tuple[str, int]]:
    with pytest.raises(ExpressionError) as refusal:
        expressions.compile(text, schema)
    return [(problem.code, problem.column) for problem in refusal.value.problems]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("amount + limit", Type.MONEY),
        ("amount + 500 * 10000", Type.MONEY),
        ("-amount * rate", Type.MONEY),
        ("rate * amount", Type.MONEY),
        ("amount / rate", Type.MONEY),
        ("amount / limit", Type.NUMBER),
        ("amount / 10000", Type.MONEY),
        ("rate / 3 - 1", Type.NUMBER),
        ("500 * 10000 <= amount", Type.BOOLEAN),
        ("region == '110000'", Type.BOOLEAN),
        ("region == name", Type.BOOLEAN),
        ("region in ['11', '12']", Type.BOOLEAN),
        ("due_on < date('2026-01-31')", Type.BOOLEAN),
        ("vip ? amount : 0", Type.MONEY),
        ("vip ? region : name", Type.TEXT),
        ("vip ? region : null", Type.CODE),
        ("coalesce(amount, limit, 0)", Type.MONEY),
        ("max(amount, 1000, limit)", Type.MONEY),
        ("max(due_on, paid_on)", Type.DATE),
        ("abs(rate)", Type.NUMBER),
        ("round(amount, 2)", Type.MONEY),
        ("size(region) + days(due_on, paid_on) + workdays(due_on, paid_on)", Type.NUMBER),
        ("year(due_on) * 4 + quarter(due_on) + month(due_on)", Type.NUMBER),
        ("starts_with(region, '11') and ends_with(name, 'x') and contains(name, region)", Type.BOOLEAN),
        ("lookup('regions', region)", Type.TEXT),
        ("in_list('regions', region) and matches(name, '[A-Z]+')", Type.BOOLEAN),
        ("count() + count_by(region) + count_by(region, name)", Type.NUMBER),
        ("sum(amount) == sum_by(amount * rate, region)", Type.BOOLEAN),
        ("max_by(due_on, region)", Type.DATE),
        ("unique(region, due_on)", Type.BOOLEAN),
        ("amount - prior(amount)", Type.MONEY),
        ("sum(amount - prior(amount))", Type.MONEY),
    ],
)
def test_a_sound_expression_has_this_type(text: str, kind: Type) -> None:
    assert expressions.compile(text, SCHEMA).type is kind


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("amount + rate", "wrong_type", 8),
        ("amount * limit", "wrong_type", 8),
        ("rate / amount", "wrong_type", 6),
        ("amount > rate", "wrong_type", 8),
        ("amount > rate * 2", "wrong_type", 8),
        ("name + name", "wrong_type", 6),
        ("due_on - paid_on", "wrong_type", 8),
        ("-name", "wrong_type", 2),
        ("not rate", "wrong_type", 5),
        ("vip and rate", "wrong_type", 9),
        ("name < 'b'", "wrong_type", 6),
        ("region >= '12'", "wrong_type", 8),
        ("vip > vip", "wrong_type", 5),
        ("name == 1", "wrong_type", 6),
        ("due_on == '2026-01-31'", "wrong_type", 8),
        ("rate in [1, 'a']", "wrong_type", 6),
        ("null in [1]", "wrong_type", 1),
        ("rate ? 1 : 2", "wrong_type", 1),
        ("vip ? 1 : 'a'", "wrong_type", 5),
        ("null", "wrong_type", 1),
        ("name == null", "null_comparison", 6),
        ("null != amount", "null_comparison", 6),
        ("amont > 1", "unknown_field", 1),
        ("sise(name)", "unknown_function", 1),
        ("size(rate)", "wrong_arguments", 1),
        ("days(due_on)", "wrong_arguments", 1),
        ("min(amount)", "wrong_arguments", 1),
        ("is_blank()", "wrong_arguments", 1),
        ("coalesce(name)", "wrong_arguments", 1),
        ("round(rate, total.orders_12m)", "wrong_arguments", 13),
        ("round(rate, 13)", "wrong_arguments", 13),
        ("round(rate, 0.5)", "wrong_arguments", 13),
        ("matches(name, name)", "wrong_arguments", 15),
        ("matches(name, '(a+)+')", "bad_pattern", 15),
        ("lookup('cities', region)", "unknown_list", 8),
        ("in_list(name, region)", "wrong_arguments", 9),
        ("count(name)", "wrong_arguments", 1),
        ("count_by()", "wrong_arguments", 1),
        ("sum(amount, region)", "wrong_arguments", 1),
        ("sum(name)", "wrong_type", 5),
        ("sum_by(amount)", "wrong_arguments", 1),
        ("sum(sum(amount))", "not_available", 5),
        ("prior(amount + 1)", "wrong_arguments", 1),
        ("prior(1)", "wrong_arguments", 1),
        ("workdays(due_on, 1)", "wrong_type", 18),
    ],
)
def test_an_unsound_expression_is_refused_at_its_place(text: str, code: str, column: int) -> None:
    assert faults(text) == [(code, column)]


def test_all_faults_come_at_once_in_the_order_of_the_text() -> None:
    text = "amont > 1 and size(rate) == 2 or lookup('cities', regoin) == name"
    assert faults(text) == [("unknown_field", 1), ("wrong_arguments", 15), ("unknown_list", 41), ("unknown_field", 51)]


def test_a_fault_below_causes_no_fault_above() -> None:
    assert faults("(amont + 1) * 2 > limit and vip") == [("unknown_field", 2)]


def test_a_misspelt_name_gets_a_hint() -> None:
    with pytest.raises(ExpressionError, match=r"perhaps total\.orders_12m"):
        expressions.compile("total.order_12m > 1", SCHEMA)
    with pytest.raises(ExpressionError, match="perhaps count_by"):
        expressions.compile("coun_by(region) > 1", SCHEMA)


@pytest.mark.parametrize(
    "text",
    ["count()", "sum(amount)", "unique(name)", "min_by(amount, region)", "prior(amount)", "workdays(due_on, paid_on)"],
)
def test_what_the_schema_does_not_promise_is_not_available(text: str) -> None:
    assert faults(text, RECORD) == [("not_available", 1)]


@pytest.mark.parametrize("name", ["and", "in", "true", "has space", "", "9th", "区域", "a..b"])
def test_a_schema_refuses_a_name_that_no_text_can_write(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a field"):
        Schema({name: Type.TEXT})


def test_a_form_cannot_be_replaced_by_a_function() -> None:
    replaced = expressions.extend(STANDARD, Function("is_blank", (Type.TEXT,), Type.BOOLEAN, bool))
    with pytest.raises(ValueError, match="is_blank"):
        expressions.compile("vip", SCHEMA, functions=replaced)


def test_every_form_that_can_be_typed_has_a_meaning() -> None:
    assert FORMS.keys() == meanings.FORMS.keys()
