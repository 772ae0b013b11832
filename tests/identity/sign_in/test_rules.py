"""When guessing must wait, and what a guesser is counted under."""

from datetime import UTC, datetime, timedelta

import pytest

from services.identity.sign_in.rules import Patience, mark_of_address, mark_of_name

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


def test_a_name_that_looks_like_an_address_is_not_counted_as_one() -> None:
    assert mark_of_name(KEY, "192.0.2.1") != mark_of_address(KEY, "192.0.2.1/32")
    assert mark_of_name(KEY, "gm") != mark_of_name(b"other key", "gm")
