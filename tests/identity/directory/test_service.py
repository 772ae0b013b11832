"""Loading the directory file: what is missing is added and published, what exists stays."""

import asyncio
import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command

from kehu.postgres import PostgresServer
from services.identity.app import compose
from services.identity.directory.document import BrokenDirectory
from shared.db import Database
from shared.events import ClientChanged, Event, OrgChanged, StaffChanged, StaffJoined
from shared.events.directory import StaffEvent
from shared.migrations import config_of, upgrade
from tests.conftest import FreshDatabase
from tests.factories.directory import COMPANY, TODAY, running_directory
from tests.factories.identity import (
    DIRECTORY,
    MIGRATIONS,
    PASSWORD_HASH,
    SECRET,
    directory_file,
    running,
    settings_of,
)

_PEOPLE = """
SELECT s.name, s.unit, array_agg(g.role ORDER BY g.role) AS roles, a.secret_hash
FROM staff s JOIN account a USING (name) JOIN role_grant g ON g.staff = s.name
GROUP BY s.name, a.secret_hash ORDER BY s.name
"""

ONCE = {name: len(DIRECTORY[name]) for name in ("people", "clients", "units")}
ONCE["events"] = sum(ONCE.values())


async def load(dsn: str, file: Path) -> None:
    """One process's start."""
    parts = compose(settings_of(dsn, directory_file=file))
    await parts.database.start()
    try:
        for start in parts.on_start:
            await start()
    finally:
        await parts.database.close()
        for stop in parts.on_stop:
            await stop()


async def state(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    database = Database(dsn)
    await database.start()
    async with database.reading() as tx:
        rows = {
            "people": await tx.fetch(_PEOPLE),
            "clients": await tx.fetch("SELECT name, kind, unit, roles FROM client ORDER BY name"),
            "units": await tx.fetch("SELECT id, parent, kind, title FROM unit ORDER BY id"),
            "events": await tx.fetch("SELECT key, value FROM outbox WHERE topic LIKE '%.identity' ORDER BY id"),
        }
    await database.close()
    return {name: [tuple(row) for row in found] for name, found in rows.items()}


async def test_loading_twice_changes_nothing(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    await load(identity_dsn, file)
    once = await state(identity_dsn)
    assert {name: len(rows) for name, rows in once.items()} == ONCE
    await load(identity_dsn, file)
    assert await state(identity_dsn) == once


async def test_processes_that_start_at_once_load_it_once(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    await asyncio.gather(*(load(identity_dsn, file) for _ in range(3)))
    found = await state(identity_dsn)
    assert {name: len(rows) for name, rows in found.items()} == ONCE


async def test_only_what_is_missing_is_added(identity_dsn: str, tmp_path: Path) -> None:
    await load(identity_dsn, directory_file(tmp_path))
    changed = copy.deepcopy(DIRECTORY)
    changed["people"][1] |= {"unit": "south", "roles": ["admin"], "full_name": "别人"}
    changed["people"].append({**changed["people"][1], "name": "another"})
    await load(identity_dsn, directory_file(tmp_path, changed))
    assert [person[:3] for person in (await state(identity_dsn))["people"]] == [
        ("another", "south", ["admin"]),
        ("boss", "hq", ["admin"]),
        ("guard", "hq", ["security_officer"]),
        ("staff", "north", ["customer_manager"]),
    ]


async def test_plain_secrets_of_the_file_are_stored_hashed_and_work(identity_dsn: str, tmp_path: Path) -> None:
    content = copy.deepcopy(DIRECTORY)
    content["people"][1]["password"] = content["people"][1].pop("password_hash") and "Correct horse 1"
    content["clients"][0]["secret"] = content["clients"][0].pop("secret_hash") and SECRET
    async with running(identity_dsn, directory_file=directory_file(tmp_path, content)) as identity:
        assert (await identity.sign_in("staff", "Correct horse 1")).json()["access_token"]
        assert (await identity.ask_token()).status_code == 200
    assert all(str(person[3]).startswith("$argon2id$") for person in (await state(identity_dsn))["people"])


@pytest.mark.parametrize(
    ("where", "harm", "told"),
    [
        ("people", {"roles": ["emperor"]}, "no such roles: emperor"),
        ("people", {"roles": ["peer_service"]}, "no such roles: peer_service"),
        ("clients", {"roles": ["admin"]}, "no such roles: admin"),
        ("units", {"kind": "galaxy"}, "no such kinds of units: galaxy"),
    ],
)
async def test_what_nobody_declared_stops_the_start(
    identity_dsn: str, tmp_path: Path, where: str, harm: dict[str, Any], told: str
) -> None:
    content = copy.deepcopy(DIRECTORY)
    content[where][0] |= harm
    with pytest.raises(BrokenDirectory, match=told):
        await load(identity_dsn, directory_file(tmp_path, content))
    found = await state(identity_dsn)
    assert [found["people"], found["units"], found["events"]] == [[], [], []]


@pytest.mark.req("R2.2")
async def test_every_entry_is_published_once_with_where_it_stands(identity_dsn: str, tmp_path: Path) -> None:
    content = copy.deepcopy(COMPANY)
    role = {"role": "customer_manager", "unit": "south", "until_on": str(TODAY + timedelta(days=9))}
    absence = {"deputy": "peer", "until_on": str(TODAY + timedelta(days=3))}
    content["people"][3] |= {"roles": ["customer_manager", role], "clearance": "internal", "deputies": [absence]}
    content["clients"] = [{"name": "desk", "kind": "service", "title": "总台", "secret_hash": PASSWORD_HASH}]
    async with running_directory(identity_dsn, tmp_path, content) as directory:
        facts = await directory.identity.outbox()
        standings = {name: await directory.standing(name) for name in ("clerk", "peer")}
    kinds: dict[type[Event], list[str]] = {}
    for envelope, event in facts:
        kinds.setdefault(type(event), []).append(envelope.subject)
    assert kinds == {
        OrgChanged: ["unit/hq", "unit/north", "unit/south", "unit/north-1", "unit/south-1"],
        StaffJoined: [f"staff/{each['name']}" for each in content["people"]],
        StaffChanged: ["staff/clerk", "staff/peer"],
        ClientChanged: ["client/desk"],
    }
    clerk, peer = standings["clerk"], standings["peer"]
    assert [(held.role, held.unit, held.until_on) for held in clerk.held] == [
        ("customer_manager", "north-1", None),
        ("customer_manager", "south", TODAY + timedelta(days=9)),
    ]
    assert (clerk.clearance, clerk.version) == ("internal", 2)
    assert [(held.unit, held.until_on) for held in peer.held if held.deputy_for == "clerk"] == [
        ("north-1", TODAY + timedelta(days=3)),
        ("south", TODAY + timedelta(days=3)),
    ]
    told = "".join(event.model_dump_json() for _, event in facts if isinstance(event, StaffEvent))
    assert [person["full_name"] for person in content["people"] if person["full_name"] in told] == []


async def test_a_deputy_whose_time_was_over_is_left_out(identity_dsn: str, tmp_path: Path) -> None:
    content = copy.deepcopy(COMPANY)
    content["people"][3]["deputies"] = [{"deputy": "peer", "until_on": "2020-02-01"}]
    async with running_directory(identity_dsn, tmp_path, content) as directory:
        assert (await directory.person("clerk"))["deputies"] == []


@pytest.mark.req("R2.2")
async def test_a_role_whose_time_was_over_is_left_out(identity_dsn: str, tmp_path: Path) -> None:
    content = copy.deepcopy(COMPANY)
    over = {"role": "customer_manager", "unit": "south", "until_on": str(TODAY - timedelta(days=1))}
    content["people"][3]["roles"] = [over, {**over, "until_on": str(TODAY)}]
    del content["people"][3]["first_day"]
    content["people"][4]["roles"] = [over]
    async with running_directory(identity_dsn, tmp_path, content) as directory:
        clerk, peer = await directory.standing("clerk"), await directory.standing("peer")
    assert [held.until_on for held in clerk.held] == [TODAY]
    assert peer.held == ()


@pytest.mark.req("R4.5")
async def test_a_password_that_nobody_could_set_themself_stops_the_start(identity_dsn: str, tmp_path: Path) -> None:
    """All of them are told at once, and nothing of them; an existing person's is not looked at."""
    content = copy.deepcopy(DIRECTORY)
    for person, password in zip(content["people"][:2], ("short-B1", "the-staff-password-1"), strict=True):
        del person["password_hash"]
        person["password"] = password
    with pytest.raises(BrokenDirectory) as refused:
        await load(identity_dsn, directory_file(tmp_path, content))
    told = str(refused.value)
    assert ["password of boss" in told, "password of staff" in told, "without the name" in told] == [True] * 3
    assert "short-B1" not in told
    await load(identity_dsn, directory_file(tmp_path))
    await load(identity_dsn, directory_file(tmp_path, content))


async def test_an_app_that_is_called_what_tokens_are_meant_for_stops_the_start(
    identity_dsn: str, tmp_path: Path
) -> None:
    content = copy.deepcopy(DIRECTORY)
    content["clients"][2]["name"] = "kehu"
    with pytest.raises(BrokenDirectory, match="kehu"):
        await load(identity_dsn, directory_file(tmp_path, content))


@pytest.mark.parametrize("kind", ["people", "clients"])
async def test_a_name_that_a_person_and_a_client_would_share_stops_the_start(
    identity_dsn: str, tmp_path: Path, kind: str
) -> None:
    await load(identity_dsn, directory_file(tmp_path))
    before, content, former = (
        await state(identity_dsn),
        copy.deepcopy(DIRECTORY),
        {"people": "partner", "clients": "staff"},
    )
    content["people"], content["clients"] = content["people"][1:], content["clients"][:1]
    content["people" if kind == "clients" else "clients"] = []
    content[kind][0]["name"] = former[kind]
    with pytest.raises(BrokenDirectory, match=former[kind]):
        await load(identity_dsn, directory_file(tmp_path, content))
    assert await state(identity_dsn) == before


async def test_who_was_there_before_the_directory_is_carried_over_and_published(
    postgres: PostgresServer, fresh_database: FreshDatabase
) -> None:
    dsn = fresh_database("identity_old")
    await asyncio.to_thread(command.upgrade, config_of(MIGRATIONS, dsn), "first")
    old = await asyncpg.connect(dsn)
    await old.execute("INSERT INTO unit (id, parent, title) VALUES ('hq', NULL, '{}'), ('north', 'hq', '{}')")
    await old.execute(
        "INSERT INTO account (name, kind, full_name, secret_hash, roles, unit, active) VALUES "
        "('lin', 'person', '林', 'x', '{customer_manager,auditor}', 'north', true), "
        "('gone', 'person', '去', 'x', '{admin}', 'hq', false), "
        "('shop', 'client', '店', 'x', '{partner_reporter}', 'hq', true)"
    )
    await old.execute('UPDATE unit SET title = \'{"zh": "甲", "en": "A"}\'')
    await old.close()
    await asyncio.to_thread(upgrade, MIGRATIONS, dsn)
    async with running(dsn) as identity:
        first = await identity.outbox()
    async with running(dsn) as identity:
        assert await identity.outbox() == first
    joined = {event.standing.name: event.standing for _, event in first if isinstance(event, StaffJoined)}
    assert [(held.role, held.unit) for held in joined["lin"].held] == [
        ("auditor", "north"), ("customer_manager", "north"),
    ]  # fmt: skip
    assert (joined["lin"].state, joined["gone"].state) == ("active", "left")
    assert [event.kind for _, event in first if isinstance(event, OrgChanged)] == ["company", "department"]
    assert [envelope.subject for envelope, event in first if isinstance(event, ClientChanged)] == ["client/shop"]
