"""What holds for every page: nothing foreign runs, nothing is kept, and refusals are in words."""

import hashlib
import re
from pathlib import Path

import pytest

from services.console.asset.service import integrity_of, read_assets, vendored
from tests.factories.console import SERVICE, RunningConsole

STATIC = Path(SERVICE.migrations).parent / "static"


def test_no_template_holds_script_or_style_of_its_own(templates: list[Path]) -> None:
    inline = re.compile(
        r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*\ssrc=)|https?://", re.IGNORECASE
    )
    assert {path.name: found for path in templates if (found := inline.findall(path.read_text("utf-8")))} == {}


def test_no_template_switches_escaping_off(templates: list[Path]) -> None:
    unsafe = [path.name for path in templates if re.search(r"\|\s*safe|autoescape", path.read_text("utf-8"))]
    assert unsafe == []


def test_vendored_files_are_the_released_ones() -> None:
    for each in vendored():
        content = (STATIC / "vendor" / each["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["sha256"]
        assert integrity_of(content) == each["integrity"]
        assert (STATIC / "vendor" / each["licence_file"]).exists()
    known = {each[name] for each in vendored() for name in ("file", "licence_file")} | {"vendor.yaml"}
    assert {path.name for path in (STATIC / "vendor").iterdir()} == known


async def test_pages_let_nothing_foreign_run_and_are_not_kept(alone: RunningConsole) -> None:
    for path in ("/sign-in", "/no-such-page"):
        headers = (await alone.http.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


async def test_assets_are_kept_by_browsers_until_they_change(alone: RunningConsole) -> None:
    for name, asset in read_assets().items():
        answer = await alone.http.get(asset.address)
        assert (answer.status_code, answer.content) == (200, asset.content), name
        assert "immutable" in answer.headers["cache-control"]
    assert (await alone.http.get("/static/../settings.py")).status_code == 404
    assert (await alone.http.get("/static/vendor/vendor.yaml")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [("/no-such-page", 404), ("/customers/not-an-id", 422), ("/entries/-1", 422), ("/entries/live?after=x%00", 400)],
)
async def test_addresses_that_lead_nowhere_say_so_in_words(alone: RunningConsole, path: str, status: int) -> None:
    await alone.sign_in("auditor")
    page = await alone.page(path, status)
    assert "<h1>This did not work</h1>" in page
    assert 'href="/"' in page


async def test_machines_get_problem_documents(alone: RunningConsole) -> None:
    answer = await alone.http.get("/v1/dead-letters")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await alone.http.get("/healthz")).json() == {"status": "alive"}
