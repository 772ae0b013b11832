"""The sign-in site in a real Chromium without JavaScript: the whole way, small screens, screen readers, policies.

axe-core judges by WCAG 2.2 AA; for that, and for nothing else, a page is looked at with JavaScript on.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.factories.browser import BACK
from tests.factories.browser import Browser as App
from tests.factories.chromium import chromium
from tests.factories.identity import PASSWORD, RunningIdentity

AXE = (Path(__file__).parents[2] / "console" / "vendor" / "axe.min.js").read_text("utf-8")
NEW = "Brand-new-pass-1"

expect.set_options(timeout=20_000)
pytestmark = [pytest.mark.slow, pytest.mark.req("R4.5")]


@pytest.fixture(name="chromium")
async def a_browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def window(chromium: Browser, *, script: bool, language: str = "en", dark: bool = False) -> BrowserContext:
    context = await chromium.new_context(
        locale=language,
        viewport={"width": 390, "height": 800},
        java_script_enabled=script,
        color_scheme="dark" if dark else "light",
    )
    context.set_default_timeout(20_000)
    await context.route(f"{BACK}**", lambda route: route.fulfill(body="the app", content_type="text/plain"))
    return context


async def enter(page: Page, name: str, password: str) -> None:
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.keyboard.press("Enter")


async def test_the_whole_way_without_javascript_and_back_to_the_app(
    identity: RunningIdentity, chromium: Browser
) -> None:
    """A second factor and a password that is due included; the app's address is let through by the page's policy."""
    secret = await identity.enrol("staff")
    async with identity.database.transaction() as tx:
        await tx.execute("UPDATE account SET set_at = now() - interval '91 days' WHERE name = 'staff'")
    context = await window(chromium, script=False)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    app = App(identity.http)
    await page.goto(identity.settings.issuer + app.request())
    await enter(page, "staff", "wrong password")
    await expect(page.get_by_role("alert")).to_contain_text("Sign-in refused")
    await expect(page.get_by_label("Name")).to_have_value("staff")
    await expect(page.get_by_label("Password")).to_be_focused()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_label("New password", exact=True).fill(NEW)
    await page.get_by_label("New password again").fill(NEW)
    await page.get_by_role("button", name="Set the password").click()
    await page.wait_for_url(f"{BACK}?code=*")
    assert app.state in page.url
    assert [each for each in complaints if "401" not in each] == []
    await context.close()


@pytest.mark.parametrize(("language", "dark"), [("en", False), ("zh-CN", True)])
async def test_every_page_is_fit_for_screen_readers_and_small_screens(
    identity: RunningIdentity, chromium: Browser, language: str, dark: bool
) -> None:
    bearer = await identity.bearer("boss")
    async with identity.database.transaction() as tx:  # whose roles clear more is not invited by an administrator
        await tx.execute("DELETE FROM role_grant WHERE staff = 'staff'")
    code = (await identity.http.post("/v1/accounts/staff/invitation", headers=bearer)).json()["code"]
    context = await window(chromium, script=True, language=language, dark=dark)
    page = await context.new_page()

    async def look(what: str) -> None:
        await page.evaluate(AXE)
        result: dict[str, Any] = await page.evaluate("axe.run(document)")
        assert len(result["passes"]) > 10, "axe-core looked at nothing"
        faults = [f"{each['id']}: {node['html'][:120]}" for each in result["violations"] for node in each["nodes"]]
        assert faults == [], what
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, what

    async def send(**filled: str) -> None:
        for name, value in filled.items():
            await page.locator(f"input[name={name}]").fill(value)
        await page.locator("main form button").last.click()
        await page.wait_for_load_state()

    async def go(path: str) -> None:
        await page.goto(identity.settings.issuer + path)
        await look(path)

    for path in (f"/invitation/{code}", "/sign-in/code", "/sign-in/password", "/invitation/x", "/sign-in"):
        await go(path)
    await send(name="staff", password="wrong password")
    await look("a refusal")
    await send(name="staff", password=PASSWORD)
    for path in ("/account", "/account/password", "/sign-out", "/account/second-factor"):
        await go(path)
    await send(password=PASSWORD)
    await look("setting up an authenticator")
    secret = await page.locator("code").inner_text()
    await send(code=pyotp.TOTP(secret).now())
    await look("recovery codes")
    await go("/account/second-factor")
    await go("/sign-out")
    await page.locator("main form button").click()
    await look("signed out")
    await context.close()
