"""When guessing must wait, what a guesser is counted under, and what a password must be."""

from datetime import UTC, datetime, timedelta

import pytest

from services.identity.account.rules import (
    Account,
    Patience,
    Policy,
    faults_of,
    mark_of_address,
    mark_of_code,
    mark_of_name,
    new_code,
)

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PATIENCE = Patience(
    free_failures=3, first=timedelta(seconds=1), longest=timedelta(minutes=1), forgotten_after=timedelta(hours=1)
)
KEY = b"key"


@pytest.mark.parametrize(("failures", "wait_s"), [(3, 1), (4, 2), (5, 4), (8, 32), (9, 60), (1000, 60)])
def test_the_wait_doubles_up_to_the_longest(failures: int, wait_s: int) -> None:
    assert PATIENCE.locked_until(failures, AT) == AT + timedelta(seconds=wait_s)


@pytest.mark.parametrize("failures", [1, 2])
def test_the_first_failures_cost_nothing(failures: int) -> None:
    assert PATIENCE.locked_until(failures, AT) is None


def test_an_ipv6_caller_is_counted_by_network() -> None:
    assert mark_of_address(KEY, "2001:db8::1") == mark_of_address(KEY, "2001:db8:0:0:ffff::2%eth0")
    assert mark_of_address(KEY, "2001:db8::1") != mark_of_address(KEY, "2001:db8:0:1::1")


def test_ipv4_callers_are_counted_one_by_one() -> None:
    assert mark_of_address(KEY, "192.0.2.1") != mark_of_address(KEY, "192.0.2.2")
    assert mark_of_address(KEY, "::ffff:192.0.2.1") == mark_of_address(KEY, "192.0.2.1")


def test_a_name_that_looks_like_an_address_is_not_counted_as_one() -> None:
    assert mark_of_name(KEY, "192.0.2.1") != mark_of_address(KEY, "192.0.2.1/32")
    assert mark_of_name(KEY, "gm") != mark_of_name(b"other key", "gm")


POLICY = Policy(length=12, classes=3, history=5)


@pytest.mark.req("R4.5")
@pytest.mark.parametrize(
    ("password", "faults"),
    [
        ("Brief-1", ["password_length"]),
        ("x" * 257, ["password_length", "password_classes"]),
        ("all small letters", ["password_classes"]),
        ("with digits 42 too", []),
        ("Capital letters and 1", []),
        ("一二三四五六七八九十甲乙Aa1", []),
        ("Xx-sTaFf-2026-11", ["password_holds_name"]),
        (" Blank at an end 1", ["password_characters"]),
        ("Line\nbreak within 1", ["password_characters"]),
        ("short", ["password_length", "password_classes"]),
    ],
)
def test_a_new_password_is_told_everything_that_is_wrong_with_it(password: str, faults: list[str]) -> None:
    found = faults_of(password, "staff", POLICY)
    assert [each.code for each in found] == faults
    assert {each.seen for each in found} <= {None}


def test_a_password_is_due_after_its_term() -> None:
    account = Account("staff", "hash", AT, None, None, has_second_factor=False)
    rotation = timedelta(days=90)
    assert not account.is_due(rotation, AT + timedelta(days=89, hours=23))
    assert account.is_due(rotation, AT + rotation)


def test_codes_are_found_however_they_are_typed() -> None:
    code = new_code(4)
    assert len(code) == 19
    assert mark_of_code(code) == mark_of_code(f" {code.upper().replace('-', '')} ")
    assert len({new_code(4) for _ in range(100)}) == 100
