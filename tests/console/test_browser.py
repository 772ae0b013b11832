"""Pages in a real Chromium: they look after keyboard, screen readers, small screens, and live without a reload.

axe-core (tests/console/vendor) judges accessibility by WCAG 2.2 AA. Without a browser these tests are skipped with one
loud line, in CI they fail.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from services.console.cookies import SESSION_COOKIE
from tests.factories.audit import RunningAudit, append, change, publish
from tests.factories.chromium import chromium
from tests.factories.console import RunningConsole
from tests.factories.customer import RunningCustomer

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
WIDE, NARROW = 1280, 390

expect.set_options(timeout=20_000)
pytestmark = pytest.mark.slow


@pytest.fixture(name="chromium")
async def a_browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


class Visitor:
    """A browser window of one person; collects what the browser complains about."""

    def __init__(self, console: RunningConsole, context: BrowserContext, page: Page) -> None:
        self.console = console
        self.context = context
        self.page = page
        self.complaints: list[str] = []
        page.on(
            "console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text)
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def open(self, path: str) -> Page:
        await self.page.goto(self.console.url + path)
        return self.page

    async def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        found: int = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return found

    async def faults(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 AA and good practice."""
        await self.page.evaluate(AXE)
        result: dict[str, Any] = await self.page.evaluate("axe.run(document)")
        assert len(result["passes"]) > 10, "axe-core looked at nothing"
        return [f"{each['id']}: {node['html'][:120]}" for each in result["violations"] for node in each["nodes"]]


async def visitor(
    console: RunningConsole, browser: Browser, role: str | None, language: str = "en", width: int = WIDE, **more: Any
) -> Visitor:
    context = await browser.new_context(locale=language, viewport={"width": width, "height": 900}, **more)
    context.set_default_timeout(20_000)
    if role is not None:
        secret = await console.session(role)
        await context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": console.url}])
    return Visitor(console, context, await context.new_page())


@pytest.mark.req("R0.4")
async def test_new_entries_appear_by_themselves_can_be_paused_and_none_is_lost(
    beside: RunningConsole, log: RunningAudit, chromium: Browser
) -> None:
    await append(log.database, change("c1"))
    window = await visitor(beside, chromium, "auditor")
    page = await window.open("/entries/live")
    state, rows = page.locator("#state"), page.locator("#rows tr")
    await expect(state).to_contain_text("Connected")
    await expect(rows).to_have_count(1)
    await append(log.database, change("c2"), change("c3"))
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text("customer/c3")

    pause = page.get_by_role("button", name="Pause")
    await pause.focus()
    await page.keyboard.press("Enter")
    await expect(pause).to_have_attribute("aria-pressed", "true")
    await append(log.database, change("c4"))
    await append(log.database, change("c5"), change("c6"))
    await expect(state).to_contain_text("3 new entries wait")
    await expect(rows).to_have_count(3)
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(6)
    shown = await page.locator("#rows tr th").all_inner_texts()
    assert shown == ["5", "4", "3", "2", "1", "0"]
    await append(log.database, change("c7"))
    await expect(rows).to_have_count(7)
    assert window.complaints == []


async def test_pages_work_without_scripts(beside: RunningConsole, log: RunningAudit, chromium: Browser) -> None:
    await append(log.database, change("c1"))
    window = await visitor(beside, chromium, "auditor", java_script_enabled=False)
    page = await window.open("/entries/live")
    await expect(page.locator("#state")).to_contain_text("This is a snapshot")
    await expect(page.locator("#rows tr")).to_have_count(1)
    await expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    await append(log.database, change("c2"))
    await page.get_by_role("link", name="Refresh").click()
    await expect(page.locator("#rows tr")).to_have_count(2)


async def test_the_keyboard_reaches_content_first(beside: RunningConsole, chromium: Browser) -> None:
    window = await visitor(beside, chromium, "auditor")
    page = await window.open("/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(("language", "scheme"), [("zh-CN", "light"), ("en", "dark")])
async def test_pages_are_accessible_and_fit_the_screen(
    beside: RunningConsole,
    files: RunningCustomer,
    log: RunningAudit,
    chromium: Browser,
    width: int,
    language: str,
    scheme: Any,
) -> None:
    customer = await files.register()
    await files.patch(customer["id"], 1, contact_phone="13811112222")
    await append(log.database, *(change(f"c{number}") for number in range(3)), change(customer["id"]))
    await publish(log.database, log.settings)
    pages = {
        None: ["/signed-out", "/signed-out?only_here=true", "/sign-in/callback?state=made-up"],
        "auditor": ["/", "/entries", "/entries/live", "/entries/1", "/dead-letters", "/no-such-page"],
        "department_manager": [
            "/customers",
            f"/customers/{customer['id']}",
            f"/customers/{customer['id']}/items/contact_phone",
            f"/customers/{customer['id']}/items/retail_format",
        ],
    }
    found: dict[str, Any] = {}
    for role, paths in pages.items():
        window = await visitor(beside, chromium, role, language, width, color_scheme=scheme)
        for path in paths:
            await window.open(path)
            if faults := [*await window.faults(), *(["too wide"] if await window.overflow() > 0 else [])]:
                found[path] = faults
        await window.context.close()
    assert found == {}


async def test_a_session_that_ended_elsewhere_stops_the_stream(
    beside: RunningConsole, log: RunningAudit, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.console.entry.live.LOOK_S", 0)
    await append(log.database, change("c1"))
    window = await visitor(beside, chromium, "auditor")
    page = await window.open("/entries/live")
    await expect(page.locator("#state")).to_contain_text("Connected")
    async with beside.database.transaction() as tx:
        await tx.execute("DELETE FROM session")
    for number in range(3):
        await append(log.database, change(f"d{number}"))
        await asyncio.sleep(0.3)
    await expect(page.locator("#state")).to_contain_text("The stream has ended")
