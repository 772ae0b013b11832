"""Signing in to the console in a real Chromium, by the page of the real identity service; signing out of both."""

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.console.test_browser import NARROW, WIDE, Visitor, visitor
from tests.factories import console, identity
from tests.factories.chromium import chromium
from tests.factories.console import RunningConsole
from tests.factories.customer import RunningCustomer
from tests.fakes.issuer import Issuer

pytestmark = [pytest.mark.slow, pytest.mark.req("R15.3"), pytest.mark.req("R4.5")]


@pytest.fixture(name="chromium")
async def a_browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def signing(dsn: Callable[[str], str], tmp_path: Path, issuer: Issuer) -> AsyncIterator[RunningConsole]:
    """A console beside a real identity service, which knows it and whose directory has `boss`.

    To the browser they are different sites, as in earnest.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    address = console.address_of(listener).replace("127.0.0.1", "localhost")
    app: dict[str, Any] = {
        "name": "console",
        "kind": "app",
        "full_name": "运行控制台",
        "redirect_uris": [f"{address}/sign-in/callback"],
        "sign_out_uris": [f"{address}/signed-out"],
    }
    directory = {**identity.DIRECTORY, "clients": [*identity.DIRECTORY["clients"], app]}
    async with identity.running(dsn("identity"), directory_file=identity.directory_file(tmp_path, directory)) as people:
        at = str(people.http.base_url).rstrip("/")
        settings = {"issuer": at, "identity_url": at, "account_url": f"{at}/account", "url": address}
        async with console.running(dsn("console"), issuer, listener=listener, **settings) as running:
            yield running


async def fill_in(page: Page, name: str | None, password: str) -> None:
    await expect(page.locator("#password")).to_be_visible()
    if name is not None:
        await page.locator("#name").fill(name)
    await page.locator("#password").fill(password)
    await page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("language", "width", "words"),
    [
        ("en", WIDE, ("Signed in: boss", "My account", "Sign out", "You are signed out", "Sign in")),
        ("zh-CN", NARROW, ("已登录：boss", "我的账户", "退出", "已退出", "登录")),
    ],
)
async def test_a_person_signs_in_by_identitys_page_and_out_of_both(
    signing: RunningConsole, chromium: Browser, language: str, width: int, words: tuple[str, ...]
) -> None:
    signed_in_as, account, out, signed_out, again = words
    window = await visitor(signing, chromium, None, language, width)
    page = await window.open("/dead-letters?service=audit")
    assert page.url.startswith(signing.settings.issuer)
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN" if language == "zh-CN" else "en")
    await seen(window)
    await fill_in(page, "boss", "a wrong password")
    await expect(page.get_by_role("alert")).to_be_visible()
    await fill_in(page, None, identity.PASSWORD)
    await page.wait_for_url(f"{signing.url}/dead-letters?service=audit")
    await expect(page.get_by_text(signed_in_as)).to_be_visible()
    await seen(window)

    await page.get_by_role("link", name=account).click()
    await page.wait_for_url(f"{signing.settings.issuer}/account")
    await page.goto(signing.url)
    await page.get_by_role("button", name=out).click()
    await page.wait_for_url(f"{signing.url}/signed-out")
    await expect(page.get_by_role("heading", name=signed_out)).to_be_visible()
    await seen(window)
    await page.get_by_role("link", name=again, exact=True).click()
    await expect(page.locator("#password")).to_be_visible()
    assert page.url.startswith(signing.settings.issuer), "identity has forgotten the sign-in, too"
    assert [each for each in window.complaints if "400" not in each and "401" not in each] == []


async def test_who_is_signed_in_at_the_issuer_goes_straight_through_unless_a_fresh_proof_is_wanted(
    signing: RunningConsole, chromium: Browser
) -> None:
    window = await visitor(signing, chromium, None)
    page = await window.open("/inbox")
    await fill_in(page, "boss", identity.PASSWORD)
    await page.wait_for_url(f"{signing.url}/inbox")
    async with signing.database.transaction() as tx:
        await tx.execute("DELETE FROM session")
    await window.open("/entries")
    assert page.url == f"{signing.url}/entries"
    await window.open("/sign-in?next=/inbox&fresh=true")
    await expect(page.locator("#name")).to_have_value("boss")
    await fill_in(page, None, identity.PASSWORD)
    await page.wait_for_url(f"{signing.url}/inbox")


@pytest.mark.parametrize(("language", "width", "scheme"), [("en", WIDE, "dark"), ("zh-CN", NARROW, "light")])
async def test_what_was_typed_after_the_sign_in_had_ended_is_shown_and_can_be_typed_again(
    beside: RunningConsole, files: RunningCustomer, chromium: Browser, language: str, width: int, scheme: Any
) -> None:
    customer = await files.register()
    window = await visitor(beside, chromium, "department_manager", language, width, color_scheme=scheme)
    form = f"/customers/{customer['id']}/items/contact_phone"
    page = await window.open(form)
    async with beside.database.transaction() as tx:
        await tx.execute("DELETE FROM session")
    await page.locator("#value").fill("13811112222")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_role("listitem")).to_have_text(["13811112222"])
    await seen(window)
    onward = page.get_by_role("link", name="重新登录" if language == "zh-CN" else "Sign in again")
    assert await onward.get_attribute("href") == f"/sign-in?next={form.replace('/', '%2F')}"


async def seen(window: Visitor) -> None:
    """The page as it stands is accessible and fits the screen."""
    assert await window.faults() == []
    assert await window.overflow() <= 0
