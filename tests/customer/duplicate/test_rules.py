"""Forms, keys and verdicts: the declared examples, and what holds for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer.duplicate.rules import Comparer, Forms, form_of, only, strongest
from shared.regime import DuplicateRules, Form, FormStep, PairExample, load
from tests.factories.regimes import REGIMES

DECLARED = [each for each in load(REGIMES).definitions if isinstance(each, DuplicateRules)]
EXAMPLES = [
    pytest.param(declared, example, id=f"{declared.id}-{number}")
    for declared in DECLARED
    for number, example in enumerate(declared.examples)
]
SECRET = b"a key of the tests, 32 bytes long"
COMPARER = Comparer(DECLARED[0])
FORMS = DECLARED[0].forms


@pytest.mark.req("R5.2")
@pytest.mark.parametrize(("declared", "example"), EXAMPLES)
def test_two_customers_are_alike_as_the_rules_say(declared: DuplicateRules, example: PairExample) -> None:
    comparer = Comparer(declared)
    one, other = comparer.forms(example.one), comparer.forms(example.other)
    found = comparer.compare(one, other)
    assert (found.verdict if found else None) == example.verdict
    if found is not None:
        assert {hit.rule for hit in found.hits} == example.rules
        assert comparer.keys(one, SECRET) & comparer.keys(other, SECRET), "and a look-up brings them together"
        assert comparer.compare(other, one) is not None


@pytest.mark.req("R5.2")
@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("name", "杭州示例商贸（集团）有限责任公司", "杭州示例商贸"),
        ("name", "ＡＢＣ　商行", "abc"),
        ("name", "公司", "公司"),
        ("name", "店", ""),
        ("number", " 9133-0100 abc ", "91330100abc"),
        ("phone", "＋86 139-0000-0000", "13900000000"),
        ("phone", "8612345", "8612345"),
        ("phone", "12345", ""),
        ("address", "中国浙江省杭州市示例大道 1 号楼２室", "杭州市示例路1幢2"),
    ],
)
def test_a_text_is_brought_into_its_form(form: str, text: str, expected: str) -> None:
    assert form_of(FORMS[form], text) == expected


@given(st.text(max_size=40), st.sampled_from(sorted(FORMS)))
def test_a_form_stays_as_it_is(text: str, name: str) -> None:
    once = form_of(FORMS[name], text)
    assert len(once) >= FORMS[name].shortest or not once
    assert form_of(FORMS[name], once) == once or once == ""


@given(
    st.text("甲乙丙丁", min_size=5, max_size=12), st.integers(0, 4), st.sampled_from(["drop", "put", "change", "swap"])
)
def test_names_that_differ_in_one_character_meet(text: str, place: int, how: str) -> None:
    changed = {
        "drop": text[:place] + text[place + 1 :],
        "put": text[:place] + "戊" + text[place:],
        "change": text[:place] + "戊" + text[place + 1 :],
        "swap": text[:place] + text[place : place + 2][::-1] + text[place + 2 :],
    }[how]
    keys = [COMPARER.keys({"name": {"shop_name": each}}, SECRET) for each in (text, changed)]
    assert keys[0] & keys[1]


def test_keys_tell_nothing_without_the_key_and_are_of_their_rule() -> None:
    forms: Forms = {"phone": {"contact_phone": "13900000000"}}
    same: Forms = {"licence": {"licence_number": "13900000000"}}
    keys = COMPARER.keys(forms, SECRET)
    assert len(keys) == 1
    assert keys.isdisjoint(COMPARER.keys(forms, SECRET[::-1]))
    assert keys.isdisjoint(COMPARER.keys(same, SECRET))


def test_what_may_not_be_seen_counts_nothing() -> None:
    one = COMPARER.forms({"shop_name": "示例商贸", "contact_phone": "13900000000", "address": "示例路一二三号"})
    assert COMPARER.compare(one, one) is not None
    blind = only(one, lambda code: code == "shop_name")
    assert blind.keys() == {"name"}
    assert COMPARER.compare(blind, one) is None


def test_the_gravest_of_several_findings_counts() -> None:
    forms = COMPARER.forms({"shop_name": "示例商贸", "contact_phone": "13900000000"})
    more = COMPARER.forms({"shop_name": "示例商贸", "contact_phone": "13900000000", "licence_number": "330100999"})
    possible, certain = COMPARER.compare(forms, forms), COMPARER.compare(more, more)
    assert strongest([None, possible, certain]) is certain
    assert strongest([None]) is None


def test_nothing_is_taken_off_that_would_leave_too_little() -> None:
    form = Form(steps=(FormStep.WIDTH,), beginnings=("甲",), endings=("乙", "丙乙"), shortest=2)
    assert form_of(form, "甲甲丁戊丙乙") == "丁戊丙"
    assert form_of(form, "甲乙") == "甲乙"
