"""Client systems over HTTP: entered, changed, given secrets, closed."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.identity.org.service import Org
from shared.events import AccessRevoked, ClientChanged
from tests.factories.directory import problem
from tests.factories.identity import (
    DIRECTORY,
    PASSWORD_HASH,
    SECRET,
    RunningIdentity,
    directory_file,
    regimes_with,
    running,
)

pytestmark = [pytest.mark.req("R0.4"), pytest.mark.req("R2.2")]
TITLE = {"zh": "示例系统", "en": "Example system"}
PARTNER = {"name": "shop", "kind": "partner", "title": TITLE, "unit": "south", "roles": ["partner_reporter"]}
APP = {"name": "field-app", "kind": "app", "title": TITLE, "redirect_uris": ["https://field.example/back"]}
KEEPER = """
id: keeper
title: {zh: 接入管理员, en: Keeper of client systems}
requirement: R0.4
effective_from: 2025-01-01
owner: admin
units: own
clearance: top_secret
grants:
  - {resource: client, actions: [read, change]}
examples:
  - {action: client.change, allowed: true}
  - {action: customer.read, allowed: false}
"""


async def create(identity: RunningIdentity, body: dict[str, Any], *, who: str = "guard") -> httpx.Response:
    return await identity.http.post("/v1/clients", json=body, headers=await identity.bearer(who))


async def token(identity: RunningIdentity, name: str, secret: str) -> httpx.Response:
    return await identity.ask_token(client_id=name, client_secret=secret)


async def test_a_partner_s_system_gets_a_secret_that_is_shown_once(identity: RunningIdentity) -> None:
    answer = await create(identity, PARTNER)
    assert answer.status_code == 201, answer.text
    secret = answer.json()["secret"]
    given = (await token(identity, "shop", secret)).json()
    claims = await identity.claims(given["access_token"])
    assert (claims["sub"], claims["unit"], claims["roles"]) == ("shop", "south", ["partner_reporter"])
    assert (await token(identity, "shop", secret[:-1])).status_code == 401
    bearer = await identity.bearer("boss")
    shown = await identity.http.get("/v1/clients/shop", headers=bearer)
    assert "secret" not in shown.json()
    assert shown.headers["etag"] == '"1"'
    async with identity.database.reading() as tx:
        stored = str(await tx.fetch("SELECT * FROM client_secret")) + str(await tx.fetch("SELECT * FROM outbox"))
    assert secret not in stored


async def test_an_app_has_no_secret_and_sends_people_back_where_it_said(identity: RunningIdentity) -> None:
    answer = await create(identity, APP)
    assert answer.json()["secret"] is None
    async with identity.browser(client_id="field-app", redirect_uri="https://field.example/back") as browser:
        assert (await browser.ask()).url.path == "/sign-in"
    rotated = await identity.http.post("/v1/clients/field-app/secrets", headers=await identity.bearer("boss"))
    assert (rotated.status_code, rotated.json()["code"]) == (409, "public_client")


async def test_two_secrets_live_during_a_rotation_and_no_third(identity: RunningIdentity) -> None:
    secrets = [(await create(identity, PARTNER)).json()["secret"]]
    bearer = await identity.bearer("guard")
    for _ in range(2):
        answer = await identity.http.post("/v1/clients/shop/secrets", headers=bearer)
        assert answer.status_code == 201, answer.text
        secrets.append(answer.json()["secret"])
    assert [(await token(identity, "shop", each)).status_code for each in secrets] == [401, 200, 200]
    async with identity.database.transaction() as tx:
        await tx.execute("UPDATE client_secret SET expires_at = now() WHERE expires_at IS NOT NULL")
    assert [(await token(identity, "shop", each)).status_code for each in secrets] == [401, 401, 200]


async def test_a_chosen_secret_gives_way_to_a_made_one(identity: RunningIdentity) -> None:
    answer = await identity.http.post("/v1/clients/partner/secrets", headers=await identity.bearer("guard"))
    for secret in (SECRET, answer.json()["secret"]):
        assert (await token(identity, "partner", secret)).status_code == 200


async def test_a_closed_client_gets_nothing_and_its_tokens_end(identity: RunningIdentity) -> None:
    assert (await token(identity, "partner", SECRET)).status_code == 200
    bearer = await identity.bearer("boss")
    closed = await identity.http.post("/v1/clients/partner/closing", headers=bearer)
    assert (closed.status_code, closed.json()["active"]) == (200, False)
    assert (await token(identity, "partner", SECRET)).json()["error"] == "invalid_client"
    for path in ("closing", "secrets"):
        again = await identity.http.post(f"/v1/clients/partner/{path}", headers=bearer)
        assert (again.status_code, again.json()["code"]) == (409, "client_closed")
    found = [each for _, each in await identity.outbox() if isinstance(each, ClientChanged) and each.name == "partner"]
    assert [(each.version, each.active) for each in found] == [(1, True), (2, False)]
    (revoked,) = [each for _, each in await identity.outbox() if isinstance(each, AccessRevoked)]
    assert (revoked.name, revoked.reason) == ("partner", "closed")


async def test_a_change_is_made_on_the_state_that_was_read(identity: RunningIdentity) -> None:
    bearer = await identity.bearer("guard")
    path, changes = "/v1/clients/partner", {"title": TITLE, "unit": "north"}
    assert (await identity.http.patch(path, json=changes, headers=bearer)).status_code == 428
    changed = await identity.http.patch(path, json=changes, headers={**bearer, "If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] == '"2"'
    assert changed.json() | changes == changed.json()
    assert changed.json()["roles"] == ["partner_reporter"]
    stale = await identity.http.patch(path, json=changes, headers={**bearer, "If-Match": '"1"'})
    assert (stale.status_code, stale.json()["version"]) == (412, 2)
    for wrong in ({"roles": ["nobody"]}, {"unit": None}, {"unit": "nowhere"}, {"kind": "service"}, {"title": None}):
        refused = await identity.http.patch(path, json=wrong, headers={**bearer, "If-Match": '"2"'})
        assert refused.status_code == 422, wrong


async def test_a_wrong_entry_is_told_all_that_is_wrong_with_it(identity: RunningIdentity) -> None:
    for body, pointers in (
        ({**PARTNER, "unit": "nowhere", "roles": ["nobody"]}, ["/unit", "/roles/0"]),
        ({**PARTNER, "roles": ["general_manager"]}, ["/roles/0"]),  # a role of people: a way round one's own clearance
        ({**PARTNER, "roles": ["peer_service"]}, ["/roles/0"]),
        ({**APP, "name": "kehu"}, ["/name"]),  # its ID tokens would be meant for services
        ({**APP, "redirect_uris": ["http://field.example/"], "roles": ["admin"]}, ["/redirect_uris/0", "/roles"]),
        ({**PARTNER, "name": "Shop 1", "kind": "bank"}, ["/name", "/kind"]),
    ):
        answer = await create(identity, body)
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == pointers
    for name in ("partner", "staff"):
        taken = await create(identity, {**PARTNER, "name": name})
        assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")


async def test_a_person_and_a_client_who_come_at_once_never_share_a_name(identity: RunningIdentity) -> None:
    bearer = await identity.bearer("boss")
    person = {"full_name": "甲（虚构）", "unit": "south", "first_day": "2998-01-01"}
    names = [f"twin-{number}" for number in range(3)]
    answers = await asyncio.gather(
        *(
            identity.http.post(path, json={**body, "name": name}, headers=bearer)
            for name in names
            for path, body in (("/v1/staff", person), ("/v1/clients", {**PARTNER, "roles": []}))
        )
    )
    codes = [answer.status_code for answer in answers]
    assert [sorted(pair) for pair in zip(codes[::2], codes[1::2], strict=True)] == [[201, 409]] * len(names)


async def test_a_client_waits_for_whoever_writes_to_the_directory(identity: RunningIdentity) -> None:
    bearer = await identity.bearer("guard")
    async with identity.database.transaction() as tx:
        await Org(identity.parts.outbox, identity.parts.regimes).hold(tx, None)
        asked = asyncio.create_task(identity.http.post("/v1/clients", json=PARTNER, headers=bearer))
        await asyncio.sleep(0.3)
        assert not asked.done()
    assert (await asked).status_code == 201


async def test_a_client_is_given_roles_and_a_secret_only_by_who_is_cleared_for_its_roles(
    identity: RunningIdentity,
) -> None:
    path, admin, officer = "/v1/clients/shop", await identity.bearer("boss"), await identity.bearer("guard")

    async def change(who: dict[str, str], version: int, **changes: Any) -> httpx.Response:
        return await identity.http.patch(path, json=changes, headers={**who, "If-Match": f'"{version}"'})

    above = [("/roles", "above_clearance")]
    assert problem(await create(identity, PARTNER, who="boss"), 403, "role_above_clearance") == above
    assert (await identity.http.get(path, headers=admin)).status_code == 404
    assert (await create(identity, {**PARTNER, "roles": []}, who="boss")).status_code == 201
    refused = await change(admin, 1, roles=["partner_reporter"])
    assert problem(refused, 403, "role_above_clearance") == above
    assert (await change(officer, 1, roles=["partner_reporter"])).json()["roles"] == ["partner_reporter"]
    assert problem(await change(admin, 2, unit="north"), 403, "role_above_clearance") == above
    assert (await change(admin, 2, title=TITLE, unit="south", roles=["partner_reporter"])).status_code == 200
    refused = await identity.http.post(f"{path}/secrets", headers=admin)
    assert problem(refused, 403, "role_above_clearance") == [("", "above_clearance")]
    secret = (await identity.http.post(f"{path}/secrets", headers=officer)).json()["secret"]
    assert (await token(identity, "shop", secret)).status_code == 200
    assert (await change(admin, 4, roles=[])).status_code == 200
    assert (await identity.http.post(f"{path}/secrets", headers=admin)).status_code == 201


async def test_a_client_is_given_no_role_that_reaches_further_than_the_giver(identity_dsn: str, tmp_path: Path) -> None:
    regimes = regimes_with(tmp_path)
    (regimes / "company" / "role" / "keeper.yaml").write_text(KEEPER, encoding="utf-8")
    keeper = {
        "name": "keeper",
        "full_name": "示例",
        "roles": ["keeper"],
        "unit": "south",
        "password_hash": PASSWORD_HASH,
    }
    file = directory_file(tmp_path, {**DIRECTORY, "people": [*DIRECTORY["people"], keeper]})
    async with running(identity_dsn, directory_file=file, regimes_path=regimes) as identity:
        assert (await create(identity, PARTNER, who="keeper")).status_code == 201
        service = {**PARTNER, "name": "other", "kind": "service", "roles": ["peer_service"]}
        refused = await create(identity, service, who="keeper")
        assert problem(refused, 403, "role_beyond_reach") == [("/roles", "beyond_reach")]
        assert (await create(identity, service)).status_code == 201


async def test_clients_are_listed_by_name_in_pages(identity: RunningIdentity) -> None:
    bearer = await identity.bearer("boss")
    names: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await identity.http.get("/v1/clients", params=query, headers=bearer)).json()
        names += [each["name"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert names == ["kehu-cli", "partner", "site", "watch"]


async def test_only_who_may_sees_and_changes_clients(identity: RunningIdentity) -> None:
    bearer = await identity.bearer("staff")
    for method, path in (
        ("GET", ""),
        ("POST", ""),
        ("GET", "/partner"),
        ("PATCH", "/partner"),
        ("POST", "/partner/secrets"),
        ("POST", "/partner/closing"),
    ):
        assert (await identity.http.request(method, f"/v1/clients{path}")).status_code == 401
        answer = await identity.http.request(method, f"/v1/clients{path}", headers=bearer)
        assert answer.status_code == 403, (method, path)
    missing = await identity.http.get("/v1/clients/nobody", headers=await identity.bearer("boss"))
    assert missing.status_code == 404
