"""Loads the sample customers into a running suite through its public API, as the sample department manager would.

Every registration carries an idempotency key, and a picture that is there already changes nothing, so a load that was
cut off goes on where it stopped and doubles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, Final

import httpx

from kehu.failure import SuiteFailed
from kehu.sample.customers import SampleCustomer, sample_companies, sample_customers

REGISTRAR: Final = "dept"
"""The sample sign-in that registers them and records what they buy."""
_AT_ONCE: Final = 4
_FEED_ROWS: Final = 600
_MOVED_ON: Final = (409, 412)
"""Somebody erased the customer, or chose another photograph, between two attempts to load."""


def load(customer_url: str, token: str, today: date, advance: Callable[[], None]) -> int:
    """Register every sample customer, upload their photographs, then record what the shops bought; how many shops.

    `token` is of `REGISTRAR`; `advance` is called for each customer done.
    Raises: SuiteFailed, with the answer that was not expected
    """
    customers = list(sample_customers(today))
    bearer = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=customer_url, headers=bearer, timeout=30, trust_env=False) as client:

        def register(sample: SampleCustomer) -> str:
            body = {"kind": "retail", "unit": sample.unit, "values": sample.values}
            key = {"Idempotency-Key": f"sample-{sample.serial}"}
            answer = _expect(client.post("/v1/customers", json=body, headers=key), 201)
            advance()
            return str(answer["id"])

        def upload(customer_id: str, sample: SampleCustomer) -> None:
            """Onto the file as it was registered; what people have done with it since then stays."""
            for item, picture in sample.photographs.items():
                path, headers = f"/v1/customers/{customer_id}/photos/{item}", {"If-Match": '"1"'}
                answer = client.put(path, content=picture, headers={**headers, "Content-Type": "image/png"})
                _expect(answer, 200, *_MOVED_ON)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            ids = list(pool.map(register, customers))
            list(pool.map(upload, ids, customers))
        for body in sample_companies():
            key = {"Idempotency-Key": f"sample-{body['kind']}"}
            _expect(client.post("/v1/customers", json=body, headers=key), 201)
        for name in ("purchases", "violations"):
            rows = [
                {**row, "customer_id": customer_id}
                for customer_id, sample in zip(ids, customers, strict=True)
                for row in getattr(sample, name)
            ]
            for part in _parts(rows):
                _expect(client.post("/v1/dealings", json={name: part}), 200)
    return len(customers)


def _parts(rows: Sequence[dict[str, Any]]) -> list[Sequence[dict[str, Any]]]:
    return [rows[at : at + _FEED_ROWS] for at in range(0, len(rows), _FEED_ROWS)]


def _expect(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    if answer.status_code not in statuses:
        raise SuiteFailed(f"The sample could not be loaded: {answer.request.url.path} said {answer.text[:500]}")
    body: dict[str, Any] = answer.json()
    return body
