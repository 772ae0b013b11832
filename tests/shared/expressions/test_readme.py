"""The page for authors of rules: it names every function, and its examples compile."""

import re
from pathlib import Path

from shared import expressions
from shared.expressions import STANDARD, Schema, Type
from shared.expressions.forms import FORMS

README = Path(expressions.__file__).with_name("README.md").read_text(encoding="utf-8")


def test_every_function_is_on_the_page_and_nothing_else() -> None:
    table = README.split("## Functions")[1].split("## Unknown")[0]
    named = set(re.findall(r"`(\w+)\(", table))
    assert named == STANDARD.keys() | FORMS.keys()


def test_the_examples_compile() -> None:
    fields = {
        **dict.fromkeys(["business_area", "total.orders_12m", "total.customers"], Type.NUMBER),
        **dict.fromkeys(["total.purchase_amount_12m", "amount"], Type.MONEY),
        **dict.fromkeys(["certificate_type", "region_code"], Type.CODE),
        **dict.fromkeys(["phone", "certificate_no", "loan_no"], Type.TEXT),
    }
    schema = Schema(fields, tables=True, prior=True)
    examples = README.split("```")[1].strip().splitlines()
    assert {expressions.compile(example, schema).text == example for example in examples} == {True}
