"""The services work with an issuer that knows nothing of them: Keycloak signs people and programs in.

Customer, reporting and audit run as processes with the settings that deploy/keycloak/trust.sh writes; no identity runs.
"""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from signal import SIGTERM
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from authlib.integrations.base_client.errors import OAuthError
from playwright.async_api import expect

from kehu.child import stop
from kehu.plan import PROJECT
from kehu.postgres import PostgresServer
from kehu.programs import ServiceProcess
from services.console.session.rules import Tokens as KeptTokens
from shared import clock
from shared.migrations import upgrade
from tests.conftest import FreshDatabase
from tests.factories import console, identity
from tests.factories.chromium import chromium
from tests.factories.deployment import DEPLOY, env_file
from tests.factories.keycloak import LocalKeycloak
from tests.factories.live import FILE, until
from tests.factories.ports import free_ports
from tests.factories.reporting import REPORT, loans
from tests.factories.services import service
from tests.factories.sign_in import BACK, LEFT, LoginForm, Tokens, Visitor
from tests.fakes.issuer import Issuer

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.4")]
RUNNING: Final = (
    ("customer", "api"),
    ("customer", "worker"),
    ("reporting", "api"),
    ("audit", "api"),
    ("audit", "worker"),
)
PATHS: Final = {"customer": "/v1/customers", "reporting": "/v1/submissions", "audit": "/v1/entries"}


class Abroad:
    """Services that trust Keycloak alone, and its people."""

    def __init__(self, keycloak: LocalKeycloak, urls: Mapping[str, str]) -> None:
        self.keycloak = keycloak
        self.admin = keycloak.administration()
        self.urls = urls
        self.password = cache(self._password)
        self.tokens = cache(self.sign_in)

    def _password(self, name: str) -> str:
        """A person's, given once."""
        password = f"Aa1-{secrets.token_hex(12)}"
        self.admin.set_password(name, password)
        return password

    def visitor(self) -> Visitor:
        return Visitor(self.keycloak.issuer)

    def sign_in(self, name: str) -> Tokens:
        """By Keycloak's page, in a fresh browser."""
        with self.visitor() as visitor:
            return visitor.sign_in(name, self.password(name))

    def program(self, name: str) -> str:
        """A program's own token."""
        endpoint = f"{self.keycloak.issuer}/protocol/openid-connect/token"
        with httpx.Client(timeout=30, trust_env=False) as http:
            grant = {"grant_type": "client_credentials"}
            answer = http.post(endpoint, data=grant, auth=(name, self.keycloak.secret(name)))
        return str(answer.raise_for_status().json()["access_token"])

    def ask(self, token: str, method: str, path: str, at: str = "customer", **parts: Any) -> httpx.Response:
        """One request to a service."""
        bearer = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=self.urls[at], headers=bearer, timeout=30, trust_env=False) as http:
            return http.request(method, path, **parts)

    def register(self, token: str) -> httpx.Response:
        """Ask for a fresh customer of the department."""
        values = {"customer_code": f"K-{uuid4().hex[:8]}", "customer_manager": "manager1", **FILE}
        return self.ask(token, "POST", "/v1/customers", json={"kind": "retail", "unit": "sales", "values": values})


@pytest.fixture(scope="module")
def abroad(
    keycloak: LocalKeycloak, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Abroad]:
    directory = tmp_path_factory.mktemp("abroad")
    settings = _settings(keycloak, postgres, worker_id)
    for name in settings:
        upgrade(service(name).migrations, settings[name]["DATABASE_URL"])
    with ExitStack() as running:
        programs: list[ServiceProcess] = []
        running.callback(lambda: stop([each.process for each in programs if each.process], SIGTERM, 20))
        for name, role in RUNNING:
            port = settings[name]["PORT" if role == "api" else "WORKER_PORT"]
            program = ServiceProcess(
                [sys.executable, "-m", f"services.{name}", role],
                {f"{name}_{key}".upper(): value for key, value in settings[name].items()},
                url=f"http://127.0.0.1:{port}",
                directory=directory / f"{name}-{role}",
                log=directory / f"{name}-{role}.log",
            )
            program.start()
            programs.append(program)
        for program in programs:
            until(lambda program=program: program.is_ready() or _must_run(program), within_s=120)
        yield Abroad(keycloak, {name: f"http://127.0.0.1:{each['PORT']}" for name, each in settings.items()})


def _must_run(program: ServiceProcess) -> bool:
    assert program.pid is not None, program.log.read_text(errors="replace")[-4000:]
    return False


def _settings(keycloak: LocalKeycloak, postgres: PostgresServer, worker_id: str) -> dict[str, dict[str, str]]:
    """What an operator gives each service, without prefix; databases, ports and the bus are those of this machine."""
    subprocess.run([DEPLOY / "keycloak" / "trust.sh", keycloak.env, keycloak.issuer], check=True, timeout=30)
    names = sorted({name for name, _ in RUNNING})
    ports = {name: free_ports(2) for name in names}
    bus = postgres.create_database(f"abroad_bus_{worker_id}")
    given: dict[str, dict[str, str]] = {}
    for name in names:
        filled = env_file(keycloak.env / f"{name}.env")
        given[name] = {key.removeprefix(f"{name.upper()}_"): value for key, value in filled.items()} | {
            "HOST": "127.0.0.1",
            "PORT": str(ports[name][0]),
            "WORKER_PORT": str(ports[name][1]),
            "DATABASE_URL": postgres.create_database(f"abroad_{name}_{worker_id}"),
            "BUS": "postgres",
            "BUS_URL": bus,
            "REGIMES_PATH": str(PROJECT / "regimes"),
            "AUTHORITY": "claims",
        }
    given["audit"] |= {
        "CUSTOMER_URL": f"http://127.0.0.1:{given['customer']['PORT']}",
        "IDENTITY_URL": "http://127.0.0.1:9",
    }
    return given


def test_a_department_manager_signs_in_by_keycloaks_page_and_works(abroad: Abroad) -> None:
    token = abroad.tokens("dept").access
    registered = abroad.register(token)
    assert registered.status_code == 201, registered.text
    customer = registered.json()["id"]
    read = abroad.ask(token, "GET", f"/v1/customers/{customer}").json()
    assert read["values"]["shop_name"]["value"] == FILE["shop_name"]

    def entries() -> list[dict[str, Any]]:
        query = {"subject": f"customer/{customer}", "type": "customer.registered", "values": True}
        answer = abroad.ask(abroad.tokens("auditor").access, "GET", "/v1/entries", "audit", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    (entry,) = until(entries)
    assert entry["actor"] == "staff/dept"
    # Opened by customer for the audit service, which asked with its own token beside the auditor's.
    assert entry["data"]["values"]["contact_phone"]["after"] == FILE["contact_phone"]


def test_a_token_says_who_and_where_and_no_name_of_a_person(abroad: Abroad) -> None:
    tokens = abroad.tokens("dept")
    with abroad.visitor() as visitor:
        claims = visitor.proven(tokens.access)
        assert visitor.proven(tokens.id)["name"].startswith("沈月")
    assert (claims["aud"], claims["preferred_username"], claims["unit"]) == ("kehu", "dept", "sales")
    assert claims["realm_access"] == {"roles": ["department_manager"]}
    assert claims["auth_time"] <= claims["iat"]
    assert "client_id" not in claims
    assert "沈月" not in str(claims)


def test_a_manager_of_another_unit_is_told_that_there_is_no_such_customer(abroad: Abroad) -> None:
    customer = abroad.register(abroad.tokens("dept").access).json()["id"]
    token = abroad.tokens("manager1").access
    answer = abroad.ask(token, "GET", f"/v1/customers/{customer}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    listed = abroad.ask(token, "GET", "/v1/customers")
    assert (listed.status_code, listed.json()["items"]) == (200, [])


@pytest.mark.parametrize("at", PATHS)
def test_a_token_of_another_issuer_is_refused(abroad: Abroad, at: str) -> None:
    with Issuer() as other:
        ours = {"preferred_username": "gm", "realm_access": {"roles": ["general_manager"]}}
        for more in ({}, ours, {**ours, "iss": abroad.keycloak.issuer}):
            answer = abroad.ask(other.token("gm", ["general_manager"], "company", **more), "GET", PATHS[at], at)
            assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")


async def test_identity_is_nobody_here(abroad: Abroad, fresh_database: FreshDatabase, tmp_path: Path) -> None:
    dsn = fresh_database("identity")
    await asyncio.to_thread(upgrade, identity.MIGRATIONS, dsn)
    async with identity.running(dsn, directory_file=identity.directory_file(tmp_path)) as other:
        token = (await other.ask_token()).json()["access_token"]
    for at, path in PATHS.items():
        answer = abroad.ask(token, "GET", path, at)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")


def test_a_role_that_is_taken_away_is_missing_from_the_next_token(abroad: Abroad) -> None:
    with abroad.visitor() as visitor:
        first = visitor.sign_in("manager2", abroad.password("manager2"))
        assert abroad.ask(first.access, "GET", "/v1/customers").status_code == 200
        abroad.admin.take_role("manager2", "customer_manager")
        second = visitor.renew(first)
        refused = abroad.ask(second.access, "GET", "/v1/customers")
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
        abroad.admin.give_role("manager2", "customer_manager")
        third = visitor.renew(second)
        assert abroad.ask(third.access, "GET", "/v1/customers").status_code == 200
        with pytest.raises(OAuthError, match="invalid_grant"):  # used up: whoever comes with it stole it
            visitor.renew(first)


def test_a_key_that_the_realm_signs_with_anew_is_followed(abroad: Abroad) -> None:
    with abroad.visitor() as visitor:
        before = visitor.sign_in("gm", abroad.password("gm"))
        assert abroad.ask(before.access, "GET", "/v1/customers").status_code == 200
        abroad.admin.rotate_keys()
        after = visitor.renew(before)
        assert visitor.proven(after.access)["kid"] != visitor.proven(before.access)["kid"]
    for token in (after.access, before.access):
        until(lambda token=token: abroad.ask(token, "GET", "/v1/customers").status_code == 200)


def test_signing_out_ends_the_sign_in_at_keycloak(abroad: Abroad) -> None:
    with abroad.visitor() as visitor:
        tokens = visitor.sign_in("leader", abroad.password("leader"))
        asked = visitor.ask()
        again = visitor.http.get(asked.url)  # still signed in: no page, but straight back
        assert (again.status_code, again.headers["location"].split("?")[0]) == (302, BACK)
        left = visitor.sign_out(visitor.redeem(asked, again.headers["location"]))
        assert (left.status_code, left.headers["location"]) == (302, LEFT)
        with pytest.raises(OAuthError, match="invalid_grant"):
            visitor.renew(tokens)
        assert LoginForm(visitor.http.get(visitor.ask().url).text).action


def test_a_sign_in_without_pkce_is_refused(abroad: Abroad) -> None:
    with abroad.visitor() as visitor:
        plain = {"client_id": "console", "redirect_uri": BACK, "response_type": "code", "scope": "openid"}
        answer = visitor.http.get(visitor.endpoints["authorization_endpoint"], params=plain)
        assert "error=invalid_request" in answer.headers["location"]
        assert "code=" not in answer.headers["location"].replace("code_challenge", "")


@pytest.mark.req("R4.1")
def test_a_partners_program_files_a_report_with_its_own_token(abroad: Abroad) -> None:
    token = abroad.program("partner1")
    body = {"report": REPORT, "period": "2025-01", "org": "partner", "rows": loans(2)}
    filed = abroad.ask(token, "POST", "/v1/submissions", "reporting", json=body)
    assert filed.status_code == 201, filed.text
    assert (filed.json()["verdict"], filed.json()["org"]) == ("accepted", "partner")
    refused = abroad.ask(token, "POST", "/v1/submissions", "reporting", json={**body, "org": "branch"})
    assert (refused.status_code, refused.json()["code"]) == (403, "org_out_of_reach")
    assert abroad.ask(token, "GET", "/v1/customers").status_code == 403


async def test_the_page_works_in_a_real_browser(abroad: Abroad) -> None:
    with abroad.visitor() as visitor:
        asked = visitor.ask()
        async with chromium() as browser:
            page = await browser.new_page(locale="zh-CN")
            await page.goto(asked.url)
            assert await page.locator("html").get_attribute("lang") == "zh-CN"
            await page.locator("[name=username]").fill("dept")
            await page.locator("[name=password]").fill(abroad.password("dept"))
            async with page.expect_request(f"{BACK}*") as back:
                await page.keyboard.press("Enter")
            tokens = visitor.redeem(asked, (await back.value).url)
    assert abroad.ask(tokens.access, "GET", "/v1/customers").status_code == 200


@pytest.mark.req("R15.3")
async def test_the_console_signs_people_in_renews_asks_anew_and_signs_them_out(
    abroad: Abroad, fresh_database: FreshDatabase
) -> None:
    dsn = await asyncio.to_thread(console.migrated, fresh_database("console"))
    names = {
        "claim_name": "preferred_username",
        "claim_roles": "realm_access.roles",
        "authority": "claims",
        "token_type": "JWT",
    }
    peers = {"customer_url": abroad.urls["customer"]}
    async with (
        chromium() as browser,
        console.running(dsn, Issuer(), issuer=abroad.keycloak.issuer, **names, **peers) as at,
    ):
        abroad.admin.send_back_to("console", f"{at.url}/sign-in/callback", f"{at.url}/signed-out")
        page = await browser.new_page(locale="zh-CN")
        await page.goto(f"{at.url}/customers")
        await page.locator("[name=username]").fill("dept")
        await page.locator("[name=password]").fill(abroad.password("dept"))
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{at.url}/customers")
        await expect(page.get_by_text("已登录：dept")).to_be_visible()

        before = await _made_due(at)
        await asyncio.gather(*(page.request.get(f"{at.url}/customers") for _ in range(4)))
        after = await _made_due(at)
        assert after.refresh != before.refresh
        assert (await page.request.get(f"{at.url}/customers", max_redirects=0)).status == 200, "it is rotated again"

        await page.goto(f"{at.url}/sign-in?next=/customers&fresh=true")
        await page.locator("[name=password]").fill(abroad.password("dept"))
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{at.url}/customers")
        await page.get_by_role("button", name="退出").click()
        await page.wait_for_url(f"{at.url}/signed-out")
        await page.goto(f"{at.url}/customers")
        await expect(page.locator("[name=password]")).to_be_visible()
        assert page.url.startswith(abroad.keycloak.issuer)


async def _made_due(at: console.RunningConsole) -> KeptTokens:
    """The tokens of the only session, which are from now on to be renewed."""
    moment = clock.now()
    async with at.database.transaction() as tx:
        await tx.execute("UPDATE session SET renewing_until = $1", moment)
        found = await at.sessions.claim(tx, await tx.fetchval("SELECT id FROM session"), moment, moment)
        assert found is not None
        due = replace(found[0].tokens, renew_at=moment)
        await at.sessions.renewed(tx, found[0], moment, due)
    return due
