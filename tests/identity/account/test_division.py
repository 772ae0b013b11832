"""Who enters people does not become those who are cleared higher: neither by an invitation nor by dropping a factor."""

from datetime import timedelta

import httpx
import pyotp
import pytest

from services.identity.account.second_factor import SecondFactors
from shared.clock import now
from shared.events import Invited
from tests.factories.directory import TODAY, Directory, problem

pytestmark = [pytest.mark.req("R4.5"), pytest.mark.req("R2.2")]
NEW = "Brand-new-pass-1"


async def invite(directory: Directory) -> httpx.Response:
    return await directory.call(await directory.root(), "POST", "/v1/accounts/clerk/invitation")


async def drop_factor(directory: Directory, who: dict[str, str]) -> httpx.Response:
    return await directory.call(who, "POST", "/v1/accounts/clerk/second-factor/off")


async def enrol(directory: Directory) -> None:
    """Switch a second factor on for the clerk."""
    parts, settings = directory.identity.parts, directory.identity.settings
    factors = SecondFactors(parts.outbox, parts.regimes, settings.key_ring, issuer="Kehu")
    async with parts.database.transaction() as tx:
        totp = pyotp.TOTP((await factors.enrol(tx, "clerk", now())).secret)
        await factors.confirm(tx, "clerk", totp.at(now()), now())


async def use(directory: Directory, code: str) -> int:
    """The answer to a new password for the clerk."""
    async with directory.identity.browser() as browser:
        page = await browser.http.get(f"/invitation/{code}")
        if page.status_code != 200:
            return page.status_code
        return (await browser.submit(page, new_password=NEW, again=NEW)).status_code


async def take_role(directory: Directory) -> None:
    (role,) = (await directory.person("clerk"))["roles"]
    taken = await directory.call(await directory.guard(), "DELETE", f"/v1/staff/clerk/roles/{role['id']}")
    assert taken.status_code == 204


async def give_role(directory: Directory, who: dict[str, str], **more: str) -> httpx.Response:
    role = {"role": "customer_manager", "unit": "north-1", **more}
    return await directory.call(who, "POST", "/v1/staff/clerk/roles", role)


async def test_an_account_in_use_is_not_opened_anew_by_somebody_cleared_lower(directory: Directory) -> None:
    refused = await invite(directory)
    assert problem(refused, 403, "account_above_clearance") == [("", "above_clearance")]
    assert refused.json()["errors"][0]["seen"] == "confidential"
    assert not any(isinstance(event, Invited) for _, event in await directory.identity.outbox())
    problem(await directory.call(await directory.guard(), "POST", "/v1/accounts/clerk/invitation"), 403, "not_allowed")


async def test_a_forgotten_password_takes_two_who_cannot_do_each_others_part(directory: Directory) -> None:
    await take_role(directory)
    code = (await invite(directory)).json()["code"]
    assert await use(directory, code) == 200
    problem(await give_role(directory, await directory.root()), 403, "role_above_clearance")
    assert (await give_role(directory, await directory.guard())).status_code == 201
    problem(await invite(directory), 403, "account_above_clearance")


async def test_a_role_to_come_counts_and_a_cap_does_not(directory: Directory) -> None:
    await take_role(directory)
    later = str(TODAY + timedelta(days=30))
    assert (await give_role(directory, await directory.guard(), from_on=later)).status_code == 201
    problem(await invite(directory), 403, "account_above_clearance")
    cap = {"clearance": "internal"}
    assert (await directory.call(await directory.root(), "PUT", "/v1/staff/clerk/clearance", cap)).status_code < 300
    problem(await invite(directory), 403, "account_above_clearance")


async def test_who_keeps_a_second_factor_is_given_a_password_by_one_and_loses_the_factor_by_another(
    directory: Directory,
) -> None:
    await enrol(directory)
    assert await use(directory, (await invite(directory)).json()["code"]) == 200
    assert "code" in (await directory.identity.knock("clerk", NEW)).url.path
    problem(await drop_factor(directory, await directory.root()), 403, "account_above_clearance")
    void = (await invite(directory)).json()["code"]
    assert (await drop_factor(directory, await directory.guard())).status_code == 204
    assert (await directory.identity.knock("clerk", NEW)).url.path == "/account"
    assert await use(directory, void) == 404
    problem(await invite(directory), 403, "account_above_clearance")


async def test_an_invitation_ends_when_the_person_is_cleared_higher_than_who_made_it(directory: Directory) -> None:
    await take_role(directory)
    code = (await invite(directory)).json()["code"]
    async with directory.identity.browser() as browser:
        page = await browser.http.get(f"/invitation/{code}")
        assert (await give_role(directory, await directory.guard())).status_code == 201
        assert (await browser.submit(page, new_password=NEW, again=NEW)).status_code == 404
    assert await use(directory, code) == 404
    assert (await directory.identity.knock("clerk", NEW)).status_code == 401
