"""Clients that change hot customers over HTTP and keep a journal of what they were told.

All write the same few items of the same few customers, with If-Match, from whatever version they last heard of: so
versions race, edits clash and answers get lost. Called by the reliability tests and by chaos.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from tests.fakes.issuer import Issuer
from tests.reliability.checker import Attempt, Outcome

MARK: Final = "shop_name"
"""The item that carries an attempt's mark."""
GRADED: Final = "credit_level"
UNIT: Final = "unit-1"
_ROLE: Final = "department_manager"
# With these the credit level alone decides between two grades, so that every second change moves the grade.
_FILE: Final = {
    "address": "示例路 1 号",
    "contact_person": "张示例",
    "contact_phone": "13900000000",
    "business_area": 45,
    "settlement_method": "electronic",
}
_REPEATS: Final = 4
_numbers = count(1)


@dataclass
class Journal:
    """What the clients were told; a change without an answer, even after repeating it, is unknown."""

    attempts: list[Attempt] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        return sum(each.outcome is outcome for each in self.attempts)


class Load:
    """`async with Load(urls, issuer) as load:` opens hot customers; then `write` for a while, as often as wanted."""

    def __init__(
        self,
        urls: list[str],
        issuer: Issuer,
        *,
        customers: int = 6,
        seed: int = 1,
        patience_s: float = 4.0,
        rest_s: float = 0.0,
    ) -> None:
        """`rest_s`: how long each client rests after a change."""
        self.journal = Journal()
        self.customers: list[str] = []
        self.faults: list[httpx.Response] = []
        """Every answer of 500 and above."""
        self._versions: dict[str, int] = {}
        self._urls = urls
        self._issuer = issuer
        self._wanted = customers
        self._rest_s = rest_s
        self._random = random.Random(seed)
        self._http = httpx.AsyncClient(timeout=patience_s, trust_env=False)

    async def __aenter__(self) -> "Load":
        await asyncio.gather(*(self._register() for _ in range(self._wanted)))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def headers(self) -> dict[str, str]:
        return self._issuer.bearer("dept", [_ROLE], UNIT)

    async def _register(self) -> None:
        number = next(_numbers)
        mark = f"opened-{number}"
        values = {**_FILE, "customer_code": f"R-{number:06d}", MARK: mark}
        answer = await self._http.post(
            f"{self._urls[0]}/v1/customers", json={"kind": "retail", "values": values}, headers=self.headers()
        )
        assert answer.status_code == 201, answer.text
        customer = answer.json()["id"]
        self._versions[customer] = 1
        self.customers.append(customer)
        self.journal.attempts.append(Attempt(mark, customer, Outcome.ACKED, 1))

    async def write(self, seconds: float, *, clients: int = 6) -> None:
        """Change customers with some clients side by side, for a while."""
        async with self.writing(clients=clients):
            await asyncio.sleep(seconds)

    @asynccontextmanager
    async def writing(self, *, clients: int = 6) -> AsyncIterator[None]:
        """The same until the block ends; changes that were begun are finished."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(self._client(stop)) for _ in range(clients)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def _client(self, stop: asyncio.Event) -> None:
        headers = self.headers()
        while not stop.is_set():
            await self.change(self._random.choice(self.customers), headers)
            await asyncio.sleep(self._rest_s)

    async def change(self, customer: str, headers: dict[str, str] | None = None, url: str | None = None) -> Attempt:
        """One change, repeated with the same values and the same If-Match while its outcome is unknown."""
        mark = f"mark-{next(_numbers)}"
        values = {MARK: mark, GRADED: self._random.choice("AD")}
        base, outcome, version = self._versions[customer], Outcome.REFUSED, 0
        for repeat in range(_REPEATS):
            answer = await self.patch(customer, values, base=base, url=url, headers=headers)
            if answer is None or answer.status_code >= 500:
                outcome = Outcome.UNKNOWN
                self.faults += [answer] if answer is not None else []
                await asyncio.sleep(0.1 * (repeat + 1))
                continue
            self._learn(customer, answer)
            if answer.status_code == 200:
                outcome, version = Outcome.ACKED, answer.json()["version"]
            break
        attempt = Attempt(mark, customer, outcome, version)
        self.journal.attempts.append(attempt)
        return attempt

    async def patch(
        self,
        customer: str,
        values: dict[str, Any],
        *,
        base: int | None = None,
        url: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        """One request, outside of the journal; None if no answer came."""
        base = self._versions[customer] if base is None else base
        try:
            return await self._http.patch(
                f"{url or self._random.choice(self._urls)}/v1/customers/{customer}",
                json={"values": values},
                headers={**(headers or self.headers()), "If-Match": f'"{base}"'},
            )
        except httpx.HTTPError:
            return None

    def _learn(self, customer: str, answer: httpx.Response) -> None:
        seen = answer.headers.get("ETag", "").strip('"')
        if seen.isdigit():
            self._versions[customer] = max(self._versions[customer], int(seen))
