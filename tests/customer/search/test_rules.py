"""How values and queries are read, and that the index never misses what the rules find."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer.search import pinyin
from services.customer.search.rules import WAYS, Terms, fingerprint, grams, questions, searched
from shared.errors import Invalid
from shared.regime import SearchBy, Use, load
from shared.regime.dictionary import Dictionary
from tests.factories.regimes import REGIMES

pytestmark = pytest.mark.req("R1.1")
DAY = date(2026, 11, 30)
RETAIL = load(REGIMES).catalogue("retail", on=DAY)
NAME = {"name": (SearchBy.TEXT, SearchBy.PINYIN)}
NUMBER = {"number": (SearchBy.NUMBER,)}


def places(query: str, value: str, items: dict[str, tuple[SearchBy, ...]] = NAME) -> set[str]:
    """What of a value a query is found as."""
    spots = [each.found(value) for each in questions(query, items)]
    return {value[start:end] for spot in spots if spot is not None for start, end in [spot]}


@pytest.mark.parametrize(
    ("query", "value", "found"),
    [
        ("便利", "示例便利店", {"便利"}),
        ("便店", "示例便利店", set()),
        ("利便", "便利便利", {"利便"}),
        ("１号", "一路 1 号", {"1 号"}),
        ("abc", "ＡＢＣ 超市", {"ＡＢＣ"}),
        ("路1号", "示例路（1号）", {"路（1号"}),
        ("slbl", "示例便利店", {"示例便利"}),
        ("SLBL", "示例便利店", {"示例便利"}),
        ("bld", "示例便利店", {"便利店"}),
        ("slb", "abc", set()),
        ("bianli", "示例便利店", {"便利"}),
        ("bian li dian", "示例便利店", {"便利店"}),
        ("bianl", "示例便利店", {"便利"}),
        ("xian", "西安饭店", {"西安"}),
        ("lv", "绿地", {"绿"}),
        ("zs", "单家", set()),
        ("sj", "单家", {"单家"}),
        ("dj", "单家", {"单家"}),
        ("cj", "单家", {"单家"}),
        ("shanjia", "单家", {"单家"}),
        ("chongqing", "重庆", {"重庆"}),
        ("zhongqing", "重庆", {"重庆"}),
    ],
)
def test_a_name_is_found_by_any_part_in_characters_or_pinyin(query: str, value: str, found: set[str]) -> None:
    assert places(query, value) == found


@pytest.mark.parametrize(
    ("query", "value", "found"),
    [
        ("0001", "330100-0001", {"0001"}),
        ("1000001", "330100-0001", {"100-0001"}),
        ("139 0000", "+86 139-0000-1234", {"139-0000"}),
        ("1234", "13900001234", {"1234"}),
        ("12", "13900001234", set()),
        ("王五", "13900001234", set()),
    ],
)
def test_a_number_is_found_by_three_or_more_in_a_row(query: str, value: str, found: set[str]) -> None:
    assert places(query, value, NUMBER) == found


@pytest.mark.parametrize(
    ("query", "code"),
    [("", "too_short"), ("店", "too_short"), (" %_ ", "too_short"), ("a ", "too_short"), ("店" * 61, "too_long"),
     ("便\x07利", "unsafe_text"), ("便\u202e利", "unsafe_text")],
)  # fmt: skip
def test_queries_that_find_too_much_or_hide_something_are_refused(query: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        questions(query, NAME)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("query:q", code)]
    assert "2" in str(refused.value.faults[0].expected) or code != "too_short"


TEXT = st.text(st.sampled_from("示例便利店单重行ab1 -，"), min_size=2, max_size=12)


@given(TEXT, st.integers(0, 11), st.integers(2, 12))
def test_whatever_stands_in_a_value_is_found_and_is_in_the_index(value: str, start: int, length: int) -> None:
    part = value[start : start + length]
    items = {"name": (SearchBy.TEXT, SearchBy.PINYIN, SearchBy.NUMBER)}
    try:
        asked = questions(part, items)
    except Invalid:
        return
    found = [each for each in asked if each.found(value) is not None]
    assert any(each.way.name == "text" for each in found)
    for each in found:
        assert each.grams <= grams(each.way.read(value), each.way.sizes), each


@given(st.text(st.sampled_from("示例便利店单重行长乐"), min_size=2, max_size=6))
def test_first_letters_and_syllables_of_a_name_find_it(name: str) -> None:
    for readings in (
        "".join(pinyin.readings(each).initials[-1] for each in name),
        "".join(pinyin.readings(each).syllables[0] for each in name),
    ):
        assert any(each.found(name) for each in questions(readings, NAME)), readings


def test_terms_tell_nothing_without_the_secret_and_differ_by_item() -> None:
    terms, other = Terms(b"a" * 32), Terms(b"b" * 32)
    values = {"shop_name": "示例便利店", "contact_person": "张三", "contact_phone": "13900000001"}
    made = terms.of_file(RETAIL, "u", None, values)
    assert made.isdisjoint(other.of_file(RETAIL, "u", None, values))
    kind = {terms.place("kind", RETAIL.kind)}
    alone = [terms.of_file(RETAIL, code, None, {code: "示例便利店"}) for code in ("shop_name", "address")]
    assert alone[0] & alone[1] == kind
    for each in questions("便利", searched([RETAIL])):
        assert set(terms.of_question(each)) <= made or each.item != "shop_name"


def test_names_are_asked_first_and_numbers_next() -> None:
    assert list(searched([RETAIL]))[:2] == ["shop_name", "customer_code"]
    assert all(WAYS[by] for ways in searched([RETAIL]).values() for by in ways)


def test_customers_of_every_kind_are_found_by_name_and_number() -> None:
    regimes = load(REGIMES)
    for kind in sorted({group.kind for group in regimes.all(Dictionary, on=DAY)}):
        catalogue = regimes.catalogue(kind, on=DAY)
        for use in (Use.NAME, Use.NUMBER):
            item = catalogue.used_as(use)
            assert item is None or item.search, (kind, use)


def test_the_index_is_made_anew_when_what_is_declared_changes() -> None:
    assert fingerprint([RETAIL]) == fingerprint([RETAIL])
    assert fingerprint([RETAIL]) != fingerprint([])
