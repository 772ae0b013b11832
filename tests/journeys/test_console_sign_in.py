"""Somebody signs in to the console by browser, works, and is out once the sign-in is ended."""

import re
import time

import pytest
from playwright.async_api import Page, expect

from kehu.code_flow import token_of
from tests.factories.chromium import chromium
from tests.factories.live import Live, becomes

pytestmark = [pytest.mark.slow, pytest.mark.req("R15.3"), pytest.mark.req("R4.5")]
_WITHIN_S = 5.0


async def get_in(page: Page, live: Live, name: str, password: str) -> None:
    """By identity's page, to which the console has led."""
    assert page.url.startswith(live.urls["identity"])
    await page.locator("#name").fill(name)
    await page.locator("#password").fill(password)
    await page.keyboard.press("Enter")


@pytest.mark.timed
async def test_a_person_signs_in_works_and_is_out_everywhere_once_the_sign_in_is_ended(live: Live) -> None:
    live = Live(live.data, live.bus)  # administrators sign in anew: these are sensitive actions
    customer = live.register(unit="east", shop_name="控制台旅程便利店")["id"]
    name, password = live.newcomer(unit="east")
    live.give(name, "customer_manager", unit="east")
    known = {"Authorization": f"Bearer {token_of(live.urls['identity'], name, password)}"}
    becomes(lambda: live.nobody("customer").get(f"/v1/customers/{customer}", headers=known).status_code, 200)
    console, identity = live.urls["console"], live.urls["identity"]
    async with chromium() as browser:
        page = await (await browser.new_context(locale="zh-CN")).new_page()
        await page.goto(f"{console}/customers/{customer}")
        await get_in(page, live, name, password)
        await page.wait_for_url(f"{console}/customers/{customer}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("控制台旅程便利店")
        await expect(page.get_by_text(f"已登录：{name}")).to_be_visible()

        await page.get_by_role("link", name="我的账户").click()
        await page.wait_for_url(f"{identity}/account")
        await page.get_by_role("button", name=re.compile("自 .* 的登录")).first.click()
        await page.wait_for_url(f"{identity}/sign-in")
        ended_at = time.monotonic()
        await page.goto(f"{console}/customers/{customer}")
        while page.url.startswith(console):
            assert time.monotonic() - ended_at < _WITHIN_S, "the console goes on without the sign-in"
            await page.goto(f"{console}/customers/{customer}")

        await get_in(page, live, name, password)
        await page.wait_for_url(f"{console}/customers/{customer}")
        await page.get_by_role("button", name="退出", exact=True).click()
        await expect(page).to_have_url(f"{console}/signed-out", timeout=30_000)  # tells where it is, if elsewhere
        await page.goto(f"{console}/customers")
        await expect(page.locator("#password")).to_be_visible()
