"""When a token is due, when a proof is too old, and whose answer a code is taken from."""

from datetime import UTC, datetime, timedelta

import pytest

from services.console.session.rules import (
    Flow,
    code_of,
    is_worth_asking,
    renew_at,
)
from shared.errors import KehuError

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ISSUER = "https://issuer.example"


@pytest.mark.parametrize(("lifetime_s", "due_s"), [(3600, 3540), (300, 240), (60, 48), (10, 8)])
def test_a_token_is_due_a_minute_before_its_end_or_late_in_a_short_life(lifetime_s: int, due_s: int) -> None:
    assert renew_at(NOON, NOON + timedelta(seconds=lifetime_s)) == NOON + timedelta(seconds=due_s)


@pytest.mark.parametrize(
    ("ago_s", "max_age", "worth"), [(3600, 600, True), (0, 600, False), (590, 600, True), (None, 600, False)]
)
def test_a_fresh_proof_is_asked_for_only_if_it_may_help(ago_s: int | None, max_age: int, worth: bool) -> None:
    signed_in_at = None if ago_s is None else NOON.timestamp() - ago_s
    assert is_worth_asking(signed_in_at, max_age, NOON) is worth
    assert not is_worth_asking(signed_in_at, "soon", NOON)


@pytest.mark.parametrize(("fresh", "ago_s", "enough"), [(False, 3600, True), (False, 7300, False), (True, 60, False)])
def test_an_old_proof_is_enough_unless_a_fresh_one_was_asked_for(fresh: bool, ago_s: int, enough: bool) -> None:
    asked_at = int(NOON.timestamp())
    flow = Flow("state", "nonce", "verifier", "/", asked_at, fresh)
    assert flow.is_recent_enough(asked_at - ago_s, timedelta(hours=2)) is enough
    assert flow.is_recent_enough(asked_at + 20, timedelta(hours=2))


def test_a_code_is_taken_from_the_issuer_that_was_asked_alone() -> None:
    assert code_of({"code": "c", "iss": ISSUER}, ISSUER, names_itself=True) == "c"
    assert code_of({"code": "c"}, ISSUER, names_itself=False) == "c"
    refused = [
        ({"code": "c"}, True, "sign_in_mixed_up"),
        ({"code": "c", "iss": "https://other.example"}, False, "sign_in_mixed_up"),
        ({"error": "access_denied", "iss": "https://other.example"}, True, "sign_in_mixed_up"),
        ({"error": "access_denied", "iss": ISSUER}, True, "sign_in_declined"),
        ({"error": "access_denied", "code": "c", "iss": ISSUER}, True, "sign_in_declined"),
        ({"code": "", "iss": ISSUER}, True, "sign_in_declined"),
        ({"error": "server_error", "iss": ISSUER}, True, "issuer_unavailable"),
    ]
    for answer, names_itself, code in refused:
        with pytest.raises(KehuError) as refusal:
            code_of(answer, ISSUER, names_itself=names_itself)
        assert refusal.value.code == code, answer
