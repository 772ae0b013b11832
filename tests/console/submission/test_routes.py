"""Submissions and their findings, beside a real reporting service."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.factories import console, reporting
from tests.factories.console import RunningConsole
from tests.fakes.issuer import Issuer


@pytest.fixture
def service(dsn: Callable[[str], str], issuer: Issuer, tmp_path: Path) -> Iterator[reporting.RunningReporting]:
    with reporting.running(dsn("reporting"), issuer, tmp_path) as running:
        yield running


async def test_submissions_are_listed_and_findings_shown_in_words(
    dsn: Callable[[str], str], issuer: Issuer, service: reporting.RunningReporting
) -> None:
    unit = reporting.new_unit()
    async with service.http() as http:
        wrong = [*reporting.loans(2), reporting.loan(3, amount="-1")]
        filed = await reporting.file_json(http, service.partner(unit), unit, wrong)
        assert filed.status_code == 201, filed.text
    async with console.running(dsn("console"), issuer, reporting_url=service.url) as running:
        await running.sign_in("report_reviewer")
        page = await running.page("/submissions", org=unit)
        [path] = re.findall(r'href="(/submissions/[0-9a-f-]+)"', page)
        one = await running.page(path)
        found = filed.json()["findings"]
        assert found
        assert [each["rule"] for each in found if each["rule"] not in one] == []
        assert "No submission fits." in await running.page("/submissions", org="nobody")


async def test_a_silent_reporting_service_is_said_in_words(alone: RunningConsole) -> None:
    await alone.sign_in("report_reviewer")
    assert "The reporting service does not answer" in await alone.page("/submissions")
