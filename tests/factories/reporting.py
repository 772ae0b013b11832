"""Makes what reporting tests need: tables as partners file them, and the service as a process of its own.

People and companies do not exist. The process is shared by a whole run; tests keep apart by filing for a unit each.
"""

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from services.reporting.app import SERVICE
from services.reporting.submission.filing import Examiner
from services.reporting.submission.finding import Group
from services.reporting.submission.rules import Judge, Judgement
from services.reporting.submission.sheet import of_json
from shared.migrations import upgrade
from shared.regime import load
from tests.factories.ports import free_ports
from tests.factories.regimes import REGIMES
from tests.fakes.issuer import Issuer

REPORT, PERIOD, PRIOR = "large-exposure", "2026-10", "2026-09"
KEK = "test:" + "a2VodSByZXBvcnRpbmcgdGVzdCBrZXkgMzIgYnl0ZXM="
RESIDENT_ID = "33010619800101001" + mod_11_2.calc_check_digit("33010619800101001")
_units = count(1)


def new_unit() -> str:
    """A unit for which nobody else files."""
    return f"unit-r{os.getpid()}-{next(_units)}"


def credit_code(number: int) -> str:
    """A unified social credit code of a company that does not exist."""
    start = f"91330106MA{number:07d}"
    return start + uscc.calc_check_digit(start)


def loan(number: int = 1, **changed: Any) -> dict[str, Any]:
    """A row that passes every rule; a cell given as None is left out."""
    row = {
        "loan_no": f"L-2026-{number:06d}",
        "customer_name": f"杭州虚构第{number}实业有限公司",
        "customer_code": f"KH330106{number:06d}",
        "certificate_type": "unified_credit_code",
        "certificate_no": credit_code(number),
        "representative_name": "虚构甲",
        "representative_certificate_type": "resident_id",
        "representative_certificate_no": RESIDENT_ID,
        "registered_place": f"浙江省杭州市西湖区虚构路{number}号",
        "region_code": "330106",
        "amount": "5000000.00",
        "syndicated": "false",
        "defaulted": "false",
        **changed,
    }
    return {code: value for code, value in row.items() if value is not None}


def loans(number: int, **changed: Any) -> list[dict[str, Any]]:
    return [loan(each, **changed) for each in range(1, number + 1)]


def csv_of(
    rows: Sequence[Mapping[str, Any]], encoding: str = "utf-8", header: Mapping[str, str] | None = None
) -> bytes:
    """A CSV file of rows; `header` gives other names to columns."""
    codes = list(dict.fromkeys(code for row in rows for code in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([(header or {}).get(code, code) for code in codes])
    writer.writerows([[row.get(code, "") for code in codes] for row in rows])
    return text.getvalue().encode(encoding)


def judge(on: date = date(2026, 10, 31)) -> Judge:
    """The judge of the declared report, in this process."""
    return Examiner(load(REGIMES)).judge(REPORT, on)


def judged(by: Judge, *rows: Any) -> Judgement:
    return by.judge(of_json(rows, by.report.columns))


def broken(judgement: Judgement) -> dict[str, list[int | None]]:
    """Rows by rule that they broke."""
    found: dict[str, list[int | None]] = {}
    for group in judgement.groups:
        found.setdefault(group.rule, []).extend(sample.row for sample in group.samples)
    return found


def group_of(judgement: Judgement, rule: str) -> Group:
    [group] = [group for group in judgement.groups if group.rule == rule]
    return group


@dataclass(frozen=True)
class RunningReporting:
    """The api as a process of its own, with its database's address."""

    url: str
    dsn: str
    issuer: Issuer
    log: Path
    pid: int

    def partner(self, unit: str) -> dict[str, str]:
        """Headers of a partner system of a unit."""
        return self.issuer.bearer("partner1", ["partner_reporter"], unit, client_id="partner1")

    def reviewer(self) -> dict[str, str]:
        return self.issuer.bearer("reviewer", ["report_reviewer"], "head-office")

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False)


@contextmanager
def running(dsn: str, issuer: Issuer, directory: Path, **settings: str) -> Iterator[RunningReporting]:
    """Start `python -m services.reporting api` on a free port, and stop it."""
    upgrade(SERVICE.migrations, dsn)
    [port] = free_ports(1)
    given = {"PORT": str(port), "DATABASE_URL": dsn, "BUS_URL": dsn, "ISSUER": issuer.url, "KEK": KEK}
    given |= {"AUTHORITY": "claims", **settings}
    environment = {**os.environ, **{f"REPORTING_{name}": value for name, value in given.items()}}  # noqa: TID251
    log = directory / "reporting.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.reporting", "api"],
            cwd=REGIMES.parent,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _await_health(url, process, log)
        yield RunningReporting(url, dsn, issuer, log, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _await_health(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/healthz", timeout=1, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"the service did not start:\n{log.read_text()}")


async def file_json(
    http: httpx.AsyncClient,
    headers: Mapping[str, str],
    org: str,
    rows: Sequence[Any],
    *,
    period: str = PERIOD,
    **query: Any,
) -> httpx.Response:
    body = {"report": REPORT, "period": period, "org": org, "rows": list(rows)}
    return await http.post("/v1/submissions", json=body, headers=dict(headers), params=query)


async def file_upload(
    http: httpx.AsyncClient, headers: Mapping[str, str], org: str, content: bytes, *, period: str = PERIOD, **query: Any
) -> httpx.Response:
    return await http.post(
        "/v1/submissions",
        data={"report": REPORT, "period": period, "org": org},
        files={"file": ("table", content)},
        headers=dict(headers),
        params=query,
    )
