"""The system's Chromium, driven by playwright; without one the tests that ask for it are skipped, in CI they fail."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

from kehu.settings import SuiteSettings

_PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser of one's own."""
    if _PROGRAM is None:
        if SuiteSettings().ci:
            pytest.fail("no Chromium, and CI may not skip its tests: install chromium and fonts-noto-cjk")
        pytest.skip("NO CHROMIUM, PAGES NOT TESTED IN A BROWSER: install chromium and fonts-noto-cjk")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_PROGRAM, args=[*_ARGUMENTS, *sandbox])
        yield browser
        await browser.close()
