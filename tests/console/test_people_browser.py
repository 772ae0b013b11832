"""The pages about people and authority in a real Chromium: accessible, and fit for small screens."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from services.console.cookies import SESSION_COOKIE
from tests.console.test_browser import NARROW, WIDE, visitor
from tests.factories.chromium import chromium
from tests.factories.console import RunningConsole
from tests.factories.directory import TODAY, Directory

pytestmark = [pytest.mark.slow, pytest.mark.req("R15.3")]
Staffed = tuple[RunningConsole, Directory]


@pytest.fixture(name="chromium")
async def a_browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(("language", "scheme"), [("zh-CN", "light"), ("en", "dark")])
async def test_pages_about_people_are_accessible_and_fit_the_screen(
    staffed: Staffed, chromium: Browser, width: int, language: str, scheme: Any
) -> None:
    running, company = staffed
    root = await company.root()
    line = {"channel": "email", "value": "somebody.with.a.long.name@example.com", "holder": "clerk"}
    leaving = {"last_day": (TODAY + timedelta(days=5)).isoformat(), "successor": "peer"}
    deputy = {"deputy": "peer", "from_on": TODAY.isoformat(), "until_on": TODAY.isoformat()}
    for who, path, body in (
        (await company.guard(), "/v1/staff/clerk/deputies", deputy),
        (root, "/v1/lines", line),
        (root, "/v1/staff/clerk/leaving", leaving),
    ):
        answer = await company.call(who, "POST", path, body)
        assert answer.is_success, answer.text
    await running.be("root", root)
    window = await visitor(running, chromium, None, language, width, color_scheme=scheme)
    cookie = {"name": SESSION_COOKIE, "value": running.http.cookies[SESSION_COOKIE], "url": running.url}
    await window.context.add_cookies([cookie])
    found: dict[str, Any] = {}
    for path in (
        "/people",
        "/people?state=left",
        "/people/clerk",
        "/why",
        "/why?name=clerk&action=staff.read",
        "/why?name=nobody&action=staff.read&id=x&field=y",
    ):
        await window.open(path)
        if faults := [*await window.faults(), *(["too wide"] if await window.overflow() > 0 else [])]:
            found[path] = faults
    assert found == {}
    assert window.complaints == []


async def test_a_question_is_asked_by_keyboard_alone(staffed: Staffed, chromium: Browser) -> None:
    running, company = staffed
    await running.be("root", await company.root())
    window = await visitor(running, chromium, None)
    cookie = {"name": SESSION_COOKIE, "value": running.http.cookies[SESSION_COOKIE], "url": running.url}
    await window.context.add_cookies([cookie])
    page = await window.open("/people/clerk")
    await page.get_by_role("link", name="Explain their authority").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#name")).to_have_value("clerk")
    await page.locator("#name").focus()
    await page.keyboard.press("Tab")
    await expect(page.locator("#action")).to_be_focused()
    await page.locator("#action").select_option("staff.read")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Answer")).to_be_visible()
    assert "action=staff.read" in page.url
