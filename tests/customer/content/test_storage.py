"""Photographs in a storage of files: sealed, private, with their rows, gone with their customers, swept."""

import stat
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.customer.content.folder import Folder
from services.customer.content.service import Objects
from shared.clock import now
from shared.errors import Unavailable
from tests.customer.file.test_keys import erase
from tests.customer.photo.test_put import kept, put
from tests.factories import customer as made
from tests.factories.customer import RunningCustomer, at_once
from tests.factories.pictures import photograph, png
from tests.fakes.issuer import Issuer

pytestmark = [pytest.mark.req("R1.6"), pytest.mark.req("R15.1")]
LATER = timedelta(hours=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
async def service(dsn: str, issuer: Issuer, folder: Path) -> AsyncIterator[RunningCustomer]:
    async with made.running(dsn, issuer, storage="files", storage_folder=folder) as running:
        yield running


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def blocked(folder: Path) -> None:
    folder.write_bytes(b"a file stands where the folder should")


def unblocked(folder: Path) -> None:
    folder.unlink()


async def run(service: RunningCustomer, name: str) -> None:
    """One round of a job of the service."""
    [job] = [job for job in service.parts.jobs if job.name == name]
    await job.once(service.database)


async def sweep(service: RunningCustomer, objects: Objects, *, rounds: int = 256) -> int:
    async with service.database.transaction() as tx:
        return sum([await objects.orphans_due(tx, now() + LATER) for _ in range(rounds)])


async def test_a_picture_and_its_thumbnail_lie_sealed_in_files_that_nobody_else_may_read(
    service: RunningCustomer, folder: Path
) -> None:
    customer = (await service.register())["id"]
    photo = (await put(service, customer, 1, png())).json()["id"]
    found = files(folder)
    assert len(found) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, *(each.parent for each in found))} == {0o700}
    assert [path for path in found if png()[33:60] in path.read_bytes() or b"JFIF" in path.read_bytes()] == []
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT place, content, gone, id::text FROM stored_object ORDER BY id")
    assert [tuple(row)[:3] for row in rows] == [("files", None, False)] * 2
    assert {row["id"] for row in rows} == {path.name for path in found}
    assert (await service.get(f"/v1/customers/{customer}/photos/{photo}")).content == png()


async def test_files_go_with_the_customer_and_with_no_other(service: RunningCustomer, folder: Path) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    await put(service, customer, 1, png())
    others = (await put(service, other, 1, png())).json()["id"]
    before = files(folder)
    await erase(service, customer)
    await run(service, "objects_removed_due")
    assert len(files(folder)) == len(before) - 2
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM stored_object") == 2
    assert (await service.get(f"/v1/customers/{other}/photos/{others}")).content == png()


async def test_a_picture_that_clashes_leaves_no_file(service: RunningCustomer, folder: Path) -> None:
    customer = (await service.register())["id"]
    answers = await at_once(*(lambda n=n: put(service, customer, 1, png(n)) for n in range(3)))
    assert sorted(each.status_code for each in answers) == [200, 412, 412]
    await run(service, "objects_removed_due")
    assert (len(files(folder)), await kept(service)) == (2, 1)


async def test_files_that_no_row_names_are_swept_once_they_are_old(service: RunningCustomer, folder: Path) -> None:
    customer = (await service.register())["id"]
    await put(service, customer, 1, png())
    storage, lost = Folder(folder), uuid4()
    await storage.put(lost, b"sealed")
    part = folder / lost.hex[-2:] / f"{lost}.part"
    part.write_bytes(b"half")
    objects = Objects(storage)
    async with service.database.transaction() as tx:
        assert sum([await objects.orphans_due(tx, now()) for _ in range(256)]) == 0, "a request may be under way"
    assert len(files(folder)) == 4
    assert await sweep(service, objects) == 1
    assert len(files(folder)) == 2
    assert await sweep(service, objects) == 0


async def test_what_cannot_be_written_is_not_kept_and_what_is_missing_is_said(
    service: RunningCustomer, folder: Path
) -> None:
    customer = (await service.register())["id"]
    blocked(folder)
    refused = await put(service, customer, 1, png())
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_away")
    assert (await kept(service), (await service.file(customer))["version"]) == (0, 1)
    unblocked(folder)
    photo = (await put(service, customer, 1, png())).json()["id"]
    for path in files(folder):
        path.unlink()
    missing = await service.get(f"/v1/customers/{customer}/photos/{photo}")
    assert (missing.status_code, missing.json()["code"]) == (503, "storage_away")


async def test_photographs_stay_readable_when_new_ones_go_into_the_database(
    service: RunningCustomer, dsn: str, issuer: Issuer, folder: Path
) -> None:
    customer = (await service.register())["id"]
    old = (await put(service, customer, 1, png())).json()["id"]
    async with made.running(dsn, issuer, storage_folder=folder) as database:
        new = (await put(database, customer, 2, photograph(), "counter_photo")).json()["id"]
        assert (await database.get(f"/v1/customers/{customer}/photos/{old}")).content == png()
        assert (await database.get("/readyz")).json()["facts"] == {"scanner": "none", "storage": "database"}
        assert len(files(folder)) == 2
        await erase(database, customer)
        await run(database, "objects_removed_due")
        assert (files(folder), new != old) == ([], True)
    async with made.running(dsn, issuer) as elsewhere, elsewhere.database.transaction() as tx:
        await tx.execute("INSERT INTO stored_object (id, place, gone) VALUES ($1, 'files', false)", lost := uuid4())
        with pytest.raises(Unavailable):
            await Objects(None).get(tx, lost)


async def test_a_folder_keeps_an_object_whole_and_once(folder: Path) -> None:
    storage, one = Folder(folder), uuid4()
    await storage.put(one, b"first")
    assert await storage.get(one) == b"first"
    assert [path.parent.name for path in files(folder)] == [one.hex[-2:]]
    part = int(one.hex[-2:], 16)
    assert await storage.older(part, (now() + LATER).timestamp()) == [one]
    assert await storage.older((part + 1) % 256, (now() + LATER).timestamp()) == []
    await storage.remove(one)
    await storage.remove(one)
    with pytest.raises(Unavailable):
        await storage.get(one)
