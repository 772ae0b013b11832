"""One's own account over JSON, with a token: what apps offer to the person who uses them."""

from typing import Any

import httpx
import pytest

from shared.events import PasswordChanged, SecondFactorChanged
from tests.factories.identity import PASSWORD, RunningIdentity

pytestmark = pytest.mark.req("R4.5")
NEW = "Brand-new-pass-1"


async def post(identity: RunningIdentity, bearer: dict[str, str], path: str, **body: Any) -> httpx.Response:
    return await identity.http.post(f"/v1/me/{path}", json=body, headers=bearer)


async def test_a_new_password_needs_the_present_one_and_the_rules(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        tokens = (await browser.sign_in("staff", PASSWORD)).json()
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        wrong = await post(identity, bearer, "password", password="guess", new_password=NEW)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_password")
        unfit = await post(identity, bearer, "password", password=PASSWORD, new_password="staff")
        assert unfit.json()["code"] == "unfit_password"
        assert {each["code"] for each in unfit.json()["errors"]} == {
            "password_length", "password_classes", "password_holds_name",
        }  # fmt: skip
        assert {each["seen"] for each in unfit.json()["errors"]} == {None}
        assert (await post(identity, bearer, "password", password=PASSWORD, new_password=NEW)).status_code == 204
        assert (await browser.renew(tokens["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await browser.follow(await browser.http.get("/account"))).url.path == "/sign-in"
    assert (await identity.knock("staff", NEW)).url.path == "/account"
    changed = [event for _, event in await identity.outbox() if isinstance(event, PasswordChanged)]
    assert changed == [PasswordChanged(name="staff", occasion="own")]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("password", {"password": PASSWORD, "new_password": NEW}, 204),
        ("second-factor", {"password": PASSWORD}, 201),
        ("second-factor/off", {"password": PASSWORD}, 409),
    ],
)
async def test_no_trace_of_a_password_is_kept_for_an_idempotency_key(
    identity: RunningIdentity, path: str, body: dict[str, str], status: int
) -> None:
    """Not even a digest, from which a password could be guessed at leisure."""
    bearer = await identity.bearer("staff")
    first, other = {**bearer, "Idempotency-Key": "one"}, dict.fromkeys(body, "Other-pass-2-x")
    assert (await identity.http.post(f"/v1/me/{path}", json=body, headers=first)).status_code == status
    if status < 400:
        again = await identity.http.post(f"/v1/me/{path}", json=other, headers=first)
        assert again.status_code != 422, "the same key with another body is not told apart: nothing of it was kept"


async def test_a_second_factor_is_switched_on_and_off(identity: RunningIdentity) -> None:
    bearer = await identity.bearer("staff")
    wrong = await post(identity, bearer, "second-factor", password="guess")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_password")
    early = await post(identity, bearer, "second-factor/confirmation", code="000000")
    assert (early.status_code, early.json()["code"]) == (409, "no_second_factor")
    await identity.enrol("staff")
    twice = await post(identity, bearer, "second-factor", password=PASSWORD)
    assert (twice.status_code, twice.json()["code"]) == (409, "second_factor_stands")
    assert (await post(identity, bearer, "second-factor/off", password="guess")).status_code == 422
    assert (await post(identity, bearer, "second-factor/off", password=PASSWORD)).status_code == 204
    assert (await identity.knock("staff")).url.path == "/account"
    switched = [event.enabled for _, event in await identity.outbox() if isinstance(event, SecondFactorChanged)]
    assert switched == [True, False]


@pytest.mark.req("R0.4")
async def test_programs_have_no_account_of_this_kind(identity: RunningIdentity) -> None:
    bearer = {"Authorization": f"Bearer {(await identity.ask_token()).json()['access_token']}"}
    refused = await post(identity, bearer, "password", password=PASSWORD, new_password=NEW)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert (await identity.http.get("/v1/me/sessions", headers=bearer)).status_code == 403
    assert (await post(identity, {}, "password", password=PASSWORD, new_password=NEW)).status_code == 401


@pytest.mark.req("R0.4")
async def test_nothing_secret_is_repeated(identity: RunningIdentity) -> None:
    bearer = await identity.bearer("staff")
    answer = await post(identity, bearer, "password", password="c" * 1001, new_password="n" * 1001, more=1)
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/password", "/new_password", "/more"}
    assert "ccc" not in answer.text
    assert "nnn" not in answer.text
