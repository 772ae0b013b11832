"""Identifiers: every number that a standard makes is taken, every change of one character is refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import lei as stdnum_lei
from stdnum.cn import ric as stdnum_ric
from stdnum.cn import uscc as stdnum_uscc

from shared.regime import BadValue, Text, ValueField, read_value
from shared.regime.identifiers import (
    STANDARDS,
    Check,
    foreign_resident_valid,
    organisation_code_valid,
    residence_permit_valid,
    resident_id_valid,
    uscc_valid,
)

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
TODAY = date(2026, 11, 30)
LABEL = Text(zh="号", en="Number")


def with_digit(body: str, alphabet: str, valid) -> str:
    """The one number that begins with `body` and is valid."""
    [found] = [body + last for last in alphabet if valid(body + last)]
    return found


@st.composite
def resident_ids(draw, region: str, *, first: date = date(1900, 1, 1), last: date = TODAY) -> str:
    born = first + timedelta(days=draw(st.integers(0, (last - first).days)))
    body = f"{region}{born:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return with_digit(body, "0123456789X", resident_id_valid)


@pytest.mark.req("R4.1")
@given(body=st.text(ALPHABET, min_size=17, max_size=17))
def test_every_body_has_one_check_character_and_stdnum_agrees_where_it_knows_the_code(body: str) -> None:
    code = with_digit(body, ALPHABET, uscc_valid)
    assert stdnum_uscc.calc_check_digit(body) == code[-1]
    if stdnum_uscc.is_valid(code):
        assert body[0].isdigit()


@pytest.mark.req("R4.1")
@given(first=st.sampled_from("ANY"), rest=st.text(ALPHABET, min_size=16, max_size=16))
def test_codes_that_begin_with_a_letter_are_as_good_as_others(first: str, rest: str) -> None:
    code = with_digit(first + rest, ALPHABET, uscc_valid)
    assert not stdnum_uscc.is_valid(code), "which is why it is not asked"


@given(body=st.text(ALPHABET, min_size=17, max_size=17), data=st.data())
def test_one_wrong_character_of_a_credit_code_is_noticed(body: str, data: st.DataObject) -> None:
    code = with_digit(body, ALPHABET, uscc_valid)
    place = data.draw(st.integers(0, 17))
    other = data.draw(st.sampled_from(ALPHABET.replace(code[place], "")))
    assert not uscc_valid(code[:place] + other + code[place + 1 :])


@pytest.mark.req("R4.1")
@given(number=resident_ids("330106", first=date(1990, 1, 1)))  # a district since 1983, says stdnum
def test_resident_numbers_are_what_stdnum_takes_too(number: str) -> None:
    assert stdnum_ric.is_valid(number)
    assert resident_id_valid(number, TODAY)


@pytest.mark.req("R4.1")
@given(number=st.sampled_from(["810000", "820000", "830000"]).flatmap(resident_ids))
def test_residence_permits_are_taken_which_stdnum_refuses(number: str) -> None:
    assert residence_permit_valid(number, TODAY)
    assert not foreign_resident_valid(number)


@pytest.mark.req("R4.1")
@given(number=st.sampled_from(["911124", "931840"]).flatmap(resident_ids))
def test_new_numbers_of_foreign_residents_are_taken(number: str) -> None:
    assert foreign_resident_valid(number, TODAY)
    assert not residence_permit_valid(number)
    assert not stdnum_ric.is_valid(number)


@given(number=resident_ids("330106"), data=st.data())
def test_one_wrong_digit_of_a_resident_number_is_noticed(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 16))
    other = data.draw(st.sampled_from("0123456789".replace(number[place], "")))
    assert not resident_id_valid(number[:place] + other + number[place + 1 :])


@pytest.mark.req("R4.1")
def test_nobody_is_born_before_1900_or_after_today() -> None:
    later = with_digit("33010620991231001", "0123456789X", resident_id_valid)
    assert stdnum_ric.is_valid(later), "which is why it is not asked"
    assert not resident_id_valid(later, TODAY)
    assert not any(resident_id_valid(f"33010618991231001{last}") for last in "0123456789X")
    assert not any(resident_id_valid(f"33010620230229001{last}") for last in "0123456789X")
    assert resident_id_valid(with_digit("33010620261130001", "0123456789X", resident_id_valid), TODAY)


@pytest.mark.parametrize("number", ["911124198108030024", "810000199408230021", "830000199201300022"])
def test_the_specimens_of_the_cards_are_taken(number: str) -> None:
    assert resident_id_valid(number, TODAY)


@pytest.mark.parametrize(
    ("text", "valid"),
    [("CAN110181010113", True), ("CAN110181130113", False), ("can110181010113", False), ("USA11018101011", False)],
)
def test_the_old_card_of_foreign_residents_is_told_by_its_form_and_birthday(text: str, valid: bool) -> None:
    assert foreign_resident_valid(text, TODAY) is valid


@given(body=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8, max_size=8))
def test_an_organisation_code_has_one_check_digit(body: str) -> None:
    code = with_digit(body, "0123456789X", organisation_code_valid)
    assert organisation_code_valid(f"{code[:8]}-{code[8]}")


def test_a_well_known_organisation_code_is_taken() -> None:
    assert organisation_code_valid("D2143569-X")
    assert not organisation_code_valid("D2143569-9")


SAMPLES = {
    Check.USCC: ("91110000600037341L", "91110000600037341M"),
    Check.ORGANISATION_CODE: ("600037341", "600037342"),
    Check.RESIDENT_ID: ("11010519491231002X", "110105194912310021"),
    Check.RESIDENCE_PERMIT: ("810000199408230021", "11010519491231002X"),
    Check.FOREIGN_RESIDENT: ("911124198108030024", "911124198108030025"),
    Check.LUHN: ("6222021234567894", "6222021234567890"),
    Check.LEI: ("213800KUD8LAJWSQ9D15", "213800KUD8LXJWSQ9D15"),
}


@pytest.mark.req("R4.1")
@pytest.mark.parametrize("check", Check)
def test_a_field_declares_its_check(check: Check) -> None:
    right, wrong = SAMPLES[check]
    field = ValueField(code="number", label=LABEL, type="code", check=check)
    assert read_value(field, f" {right} ", on=TODAY) == right
    with pytest.raises(BadValue) as caught:
        read_value(field, wrong, on=TODAY)
    assert (caught.value.code, caught.value.expected) == ("check_failed", STANDARDS[check].expected)


def test_lei_is_what_stdnum_says() -> None:
    assert stdnum_lei.is_valid(SAMPLES[Check.LEI][0])


def test_a_field_knows_the_day_for_birthdays() -> None:
    field = ValueField(code="number", label=LABEL, type="code", check=Check.RESIDENT_ID)
    number = with_digit("33010620261201001", "0123456789X", resident_id_valid)
    assert read_value(field, number, on=date(2026, 12, 1)) == number
    with pytest.raises(BadValue, match="check_failed"):
        read_value(field, number, on=TODAY)
