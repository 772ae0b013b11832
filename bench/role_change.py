"""From giving somebody a role, or taking it away, to the moment at which every service acts on it.

The whole suite as `kehu up` starts it; the person keeps one token all the time. Each change is timed from before the
request to identity until customer and audit both answer by it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx

from bench.figures import Figure, median
from kehu.client import SuiteClient
from kehu.data import DataDirectory
from kehu.plan import SERVICES
from tests.factories.suite import Suite

CHANGES = 20
_TARGET_S: Final = 2.0
_LOOK_S: Final = 0.01
_PATIENCE_S: Final = 30.0
_ASKED: Final = (("customer", "/v1/customers?limit=1"), ("audit", "/v1/entries?limit=1"))


async def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as directory:
        suite = Suite(Path(directory) / "data", SERVICES)
        started = suite.up("--empty")
        assert started.returncode == 0, started.stdout + started.stderr
        try:
            spans = await _spans(DataDirectory(suite.data))
        finally:
            suite.kehu("down")
    worst = max(spans)
    return [
        Figure(
            "a role given or taken acts in customer and audit, worst of the run", worst, "s", f"≤ {_TARGET_S:g} s",
            worst <= _TARGET_S, note=f"median {median(spans):.2f} s of {len(spans)}, same token throughout",
        )
    ]  # fmt: skip


async def _spans(data: DataDirectory) -> list[float]:
    urls = {name: each["url"] for name, each in data.state()["services"].items()}
    giver, person = (SuiteClient(data, name).token() for name in ("security", "entry"))
    clock, spans = time.perf_counter, []
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:

        async def answers() -> set[int]:
            bearer = {"Authorization": f"Bearer {person}"}
            asked = [http.get(urls[service] + path, headers=bearer) for service, path in _ASKED]
            return {each.status_code for each in await asyncio.gather(*asked)}

        async def until(status: int) -> None:
            async with asyncio.timeout(_PATIENCE_S):
                while await answers() != {status}:  # noqa: ASYNC110 - another process is waited for
                    await asyncio.sleep(_LOOK_S)

        roles, bearer = f"{urls['identity']}/v1/staff/entry/roles", {"Authorization": f"Bearer {giver}"}
        body = {"role": "auditor", "unit": "company"}
        for _ in range(CHANGES // 2):
            began = clock()
            given = (await http.post(roles, json=body, headers=bearer)).raise_for_status().json()
            await until(200)
            spans.append(clock() - began)
            began = clock()
            (await http.delete(f"{roles}/{given['id']}", headers=bearer)).raise_for_status()
            await until(403)
            spans.append(clock() - began)
    return spans
