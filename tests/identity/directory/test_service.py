"""Loading the directory file: what is missing is added, what exists stays."""

import asyncio
import copy
from pathlib import Path

import pytest

from services.identity.app import compose
from services.identity.directory.document import BrokenDirectory
from shared.db import Database
from tests.factories.identity import DIRECTORY, PASSWORD, SECRET, directory_file, running, settings_of


async def load(dsn: str, file: Path) -> None:
    """One process's start."""
    parts = compose(settings_of(dsn, directory_file=file))
    await parts.database.start()
    try:
        for start in parts.on_start:
            await start()
    finally:
        await parts.database.close()
        await parts.on_stop[0]()


async def state(dsn: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    database = Database(dsn)
    await database.start()
    async with database.reading() as tx:
        accounts = await tx.fetch("SELECT name, unit, roles, secret_hash FROM account ORDER BY name")
        units = await tx.fetch("SELECT id, parent, title FROM unit ORDER BY id")
    await database.close()
    return [tuple(row) for row in accounts], [tuple(row) for row in units]


async def test_loading_twice_changes_nothing(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    await load(identity_dsn, file)
    once = await state(identity_dsn)
    assert [len(rows) for rows in once] == [3, 4]
    await load(identity_dsn, file)
    assert await state(identity_dsn) == once


async def test_processes_that_start_at_once_load_it_once(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    await asyncio.gather(*(load(identity_dsn, file) for _ in range(3)))
    assert [len(rows) for rows in await state(identity_dsn)] == [3, 4]


async def test_only_what_is_missing_is_added(identity_dsn: str, tmp_path: Path) -> None:
    await load(identity_dsn, directory_file(tmp_path))
    changed = copy.deepcopy(DIRECTORY)
    changed["people"][1] |= {"unit": "south", "roles": ["admin"]}
    changed["people"].append({**changed["people"][1], "name": "another"})
    await load(identity_dsn, directory_file(tmp_path, changed))
    accounts, _ = await state(identity_dsn)
    assert [account[:3] for account in accounts] == [
        ("another", "south", ["admin"]),
        ("boss", "hq", ["admin"]),
        ("partner", "south", ["partner_reporter"]),
        ("staff", "north", ["customer_manager"]),
    ]


async def test_plain_secrets_of_the_file_are_stored_hashed_and_work(identity_dsn: str, tmp_path: Path) -> None:
    content = copy.deepcopy(DIRECTORY)
    content["people"][1]["password"] = content["people"][1].pop("password_hash") and PASSWORD
    content["clients"][0]["secret"] = content["clients"][0].pop("secret_hash") and SECRET
    async with running(identity_dsn, directory_file=directory_file(tmp_path, content)) as identity:
        assert (await identity.sign_in("staff")).status_code == 200
        assert (await identity.ask_token()).status_code == 200
    accounts, _ = await state(identity_dsn)
    assert all(str(account[3]).startswith("$argon2id$") for account in accounts)


async def test_a_role_that_nobody_declared_stops_the_start(identity_dsn: str, tmp_path: Path) -> None:
    content = copy.deepcopy(DIRECTORY)
    content["people"][0]["roles"] = ["emperor"]
    with pytest.raises(BrokenDirectory, match="emperor"):
        await load(identity_dsn, directory_file(tmp_path, content))
    assert await state(identity_dsn) == ([], [])
