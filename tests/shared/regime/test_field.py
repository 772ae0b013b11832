"""Reading raw values against fields: what is taken, in which form it is kept, and why the rest is refused."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.regime import BadValue, FieldType, Text, ValueField, dump_value, load_value, read_value

LABEL = Text(zh="项", en="Item")


def field(kind: str, **limits: object) -> ValueField:
    return ValueField.model_validate({"code": "item", "label": LABEL, "type": kind, **limits})


TAKEN = [
    (field("text"), "  湖滨店 ", "湖滨店"),
    (field("integer"), 45, 45),
    (field("integer"), "４５", 45),
    (field("integer"), "45.0", 45),
    (field("decimal", scale=6), 120.161234, Decimal("120.161234")),
    (field("decimal", scale=1), "99.50", Decimal("99.5")),
    (field("decimal"), "-0", Decimal(0)),
    (field("money"), "5000000", Decimal("5000000.00")),
    (field("money"), 1234, Decimal("1234.00")),
    (field("date"), "2024-02-29", date(2024, 2, 29)),
    (field("boolean"), True, True),
    (field("boolean"), "False", False),
    (field("phone"), "１３８ 0000 0000", "138 0000 0000"),
    (field("code", choices={"a": LABEL}), "a", "a"),
    (field("photo"), "0190a5b2-7c3d-7e4f-8a9b-0c1d2e3f4a5b", "0190a5b2-7c3d-7e4f-8a9b-0c1d2e3f4a5b"),
]

REFUSED = [
    (field("text"), 5, "wrong_type"),
    (field("text"), "", "wrong_type"),
    (field("text"), None, "wrong_type"),
    (field("text"), ["a"], "wrong_type"),
    (field("text"), "a\x00b", "unsafe_text"),
    (field("text"), "a\ud800b", "unsafe_text"),
    (field("text"), "a\u202eb", "unsafe_text"),
    (field("text", max_length=3), "abcd", "too_long"),
    (field("text", pattern="[a-z]+"), "A", "pattern_mismatch"),
    (field("code", choices={"a": LABEL}), "b", "not_in_list"),
    (field("integer"), True, "wrong_type"),
    (field("integer"), "1e5", "wrong_type"),
    (field("integer"), "1.5", "too_many_decimals"),
    (field("integer"), 10**400, "wrong_type"),
    (field("integer", minimum=1), 0, "below_minimum"),
    (field("integer", maximum=7), 8, "above_maximum"),
    (field("money"), "1.239", "too_many_decimals"),
    (field("money"), float("nan"), "wrong_type"),
    (field("money"), float("inf"), "wrong_type"),
    (field("money"), 12345678901234567.0, "wrong_type"),
    (field("money"), "1,000", "wrong_type"),
    (field("date"), "2023-02-29", "wrong_type"),
    (field("date"), "2023-2-9", "wrong_type"),
    (field("date"), 20230209, "wrong_type"),
    (field("boolean"), 1, "wrong_type"),
    (field("phone"), "call me", "pattern_mismatch"),
    (field("photo"), "shop.jpg", "pattern_mismatch"),
]


@pytest.mark.parametrize(("item", "raw", "value"), TAKEN)
def test_a_good_value_is_read_and_survives_the_store(item: ValueField, raw: object, value: object) -> None:
    read = read_value(item, raw)
    assert read == value
    assert type(read) is type(value)
    assert str(read) == str(value)
    assert load_value(item.type, dump_value(read)) == value


@pytest.mark.parametrize(("item", "raw", "code"), REFUSED)
def test_a_bad_value_is_refused_with_a_stable_code(item: ValueField, raw: object, code: str) -> None:
    with pytest.raises(BadValue) as caught:
        read_value(item, raw)
    assert caught.value.code == code
    assert len(caught.value.seen) <= 80
    caught.value.seen.encode()


def test_codes_of_a_list_are_the_allowed_ones() -> None:
    item = field("code", codelist="colours")
    assert read_value(item, "red", {"red": LABEL}) == "red"
    with pytest.raises(BadValue, match="not_in_list"):
        read_value(item, "blue", {"red": LABEL})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["1", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(kind=st.sampled_from(FieldType), raw=JSON)
def test_any_json_is_either_read_or_refused(kind: FieldType, raw: object) -> None:
    try:
        value = read_value(field(kind.value), raw)
    except BadValue as bad:
        bad.seen.encode()
    else:
        again = read_value(field(kind.value), dump_value(value))
        assert (again, dump_value(again)) == (value, dump_value(value))


@given(fen=st.integers(min_value=-(10**17), max_value=10**17))
def test_money_keeps_every_fen(fen: int) -> None:
    amount = Decimal(fen) / 100
    assert read_value(field("money"), format(amount, "f")) == amount
