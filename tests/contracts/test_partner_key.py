"""A partner's key at a live suite: it opens each service as far as its client may go, and ends everywhere at once."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from kehu.client import SuiteClient
from kehu.data import DataDirectory
from tests.contracts.test_bad_input import assert_problem
from tests.factories.keys import bearer
from tests.factories.live import Live, until
from tests.factories.reporting import PERIOD, REPORT, loans

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.4"), pytest.mark.req("R4.3")]
CLIENT = "partner1"
DOORS = {
    "customer": ("/v1/customers", 403),
    "reporting": ("/v1/submissions", 200),
    "audit": ("/v1/entries", 403),
    "notify": ("/v1/inbox", 403),
    "identity": ("/v1/keys", 200),
}


def officer(live: Live) -> httpx.Client:
    """The security officer, who has just signed in."""
    token = SuiteClient(DataDirectory(live.data), "security").token()
    return httpx.Client(base_url=live.urls["identity"], headers=bearer(token), timeout=30, trust_env=False)


def get(live: Live, service: str, key: str) -> httpx.Response:
    path, _ = DOORS[service]
    return httpx.get(f"{live.urls[service]}{path}", headers=bearer(key), timeout=30, trust_env=False)


@pytest.fixture
def made(live: Live) -> Iterator[dict[str, Any]]:
    """A key of the sample partner for one report, known everywhere."""
    with officer(live) as client:
        answer = client.post(f"/v1/clients/{CLIENT}/keys", json={"title": "Contract", "reports": [REPORT]})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        for service, (_, status) in DOORS.items():
            until(lambda each=service, wanted=status: get(live, each, found["key"]).status_code == wanted, 10)
        yield found
        client.delete(f"/v1/keys/{found['id']}")


def test_a_key_files_reads_and_is_told_what_is_left(live: Live, made: dict[str, Any]) -> None:
    with httpx.Client(base_url=live.urls["reporting"], headers=bearer(made["key"]), timeout=30, trust_env=False) as me:
        unit = live.as_(CLIENT, "identity").get("/v1/me").json()["unit"]
        body = {"report": REPORT, "period": PERIOD, "org": unit, "rows": loans(1)}
        filed = me.post("/v1/submissions", json=body, params={"dry_run": "true"})
        assert filed.status_code == 200, filed.text
        assert filed.headers["RateLimit-Policy"].startswith('"default";q=')
        assert filed.headers["RateLimit"].startswith('"default";r=')
        assert_problem(me.post("/v1/submissions", json={**body, "org": "risk"}), 403, pointer="/org")
        assert_problem(me.get("/v1/dead-letters"), 403)


def test_a_revoked_key_is_refused_by_every_service_within_seconds_and_all_of_it_is_audited(
    live: Live, made: dict[str, Any]
) -> None:
    with officer(live) as client:
        assert client.delete(f"/v1/keys/{made['id']}").status_code == 204
    for service in DOORS:
        until(lambda each=service: get(live, each, made["key"]).status_code == 401, 5)
        assert assert_problem(get(live, service, made["key"]), 401)["code"] == "bad_key"

    def told() -> set[str]:
        kinds = {each["type"] for each in live.entries(subject=f"key/{made['id']}", limit=200)}
        wanted = {"partner.key_issued", "partner.key_used", "partner.key_revoked", "partner.key_refused"}
        return kinds if wanted <= kinds else set()

    assert until(told)
    secret = made["key"][14:]
    logs = [path for path in live.data.rglob("*.log") if path.is_file()]
    assert logs
    assert [path.name for path in logs if secret in path.read_text("utf-8", "replace")] == []
    assert secret not in str(live.entries(subject=f"key/{made['id']}", limit=200))
