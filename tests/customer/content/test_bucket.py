"""Content in a bucket of a real S3 server: signed, private, sealed; and what an outage leaves behind: nothing."""

import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from kehu.settings import SuiteSettings
from services.customer.content.bucket import Bucket, Place
from services.customer.content.folder import Folder
from services.customer.content.service import Objects
from services.customer.settings import CustomerSettings
from shared.clock import now
from shared.errors import Unavailable
from tests.customer.attachment.test_keep import keep, kept
from tests.customer.content.test_storage import LATER, files, run, sweep
from tests.customer.file.test_keys import erase
from tests.factories import customer as made
from tests.factories.customer import RunningCustomer
from tests.factories.documents import pdf
from tests.factories.s3 import ACCESS_KEY, BUCKET, SECRET_KEY, LocalS3, S3Failed
from tests.fakes.issuer import Issuer

pytestmark = [pytest.mark.req("R5.3"), pytest.mark.req("R15.1")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalS3]:
    """A real server. One module asks for it, so that one worker starts it."""
    settings = SuiteSettings()
    server = LocalS3(tmp_path_factory.mktemp("s3"), cache=settings.kehu_cache)
    try:
        server.start()
    except S3Failed as problem:
        if settings.ci:
            pytest.fail(f"no S3 server, and CI may not skip its tests: {problem}")
        pytest.skip(f"NO S3 SERVER, NOT TESTED AGAINST IT: {problem}")
    yield server
    server.stop()


@pytest.fixture
def s3(server: LocalS3) -> LocalS3:
    """The server, with an empty bucket."""
    for path in server.objects():
        path.unlink()
    return server


@pytest.fixture
async def service(dsn: str, issuer: Issuer, s3: LocalS3) -> AsyncIterator[RunningCustomer]:
    async with made.running(dsn, issuer, storage="s3", **s3.settings) as running:
        yield running


def place(s3: LocalS3) -> Place:
    return Place(s3.url, BUCKET, "us-east-1", ACCESS_KEY, SECRET_KEY)


async def test_an_object_is_kept_whole_once_and_for_who_signs_only(s3: LocalS3) -> None:
    bucket, one = Bucket(place(s3), 20), uuid4()
    content = bytes(range(256)) * 30_000
    await bucket.put(one, content)
    await bucket.put(one, content)
    assert await bucket.get(one) == content
    assert [str(path.relative_to(s3.directory / "data" / BUCKET)) for path in s3.objects()] == [f"{one.hex[-2:]}/{one}"]
    async with httpx.AsyncClient(trust_env=False) as anybody:
        assert (await anybody.get(f"{s3.url}/{BUCKET}/{one.hex[-2:]}/{one}")).status_code == 403
    part = int(one.hex[-2:], 16)
    assert await bucket.older(part, (now() + LATER).timestamp()) == [one]
    assert await bucket.older(part, (now() - LATER).timestamp()) == []
    assert await bucket.older((part + 1) % 256, (now() + LATER).timestamp()) == []
    await bucket.remove(one)
    await bucket.remove(one)
    assert s3.objects() == []


@pytest.mark.parametrize(
    "wrong", [{"secret_key": "x" * 20}, {"access_key": "nobody"}, {"bucket": "elsewhere"}, {"endpoint": ""}], ids=str
)
async def test_a_storage_that_refuses_or_is_away_says_so_whatever_is_asked(s3: LocalS3, wrong: dict[str, str]) -> None:
    if "endpoint" in wrong:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            wrong = {"endpoint": f"http://127.0.0.1:{gone.getsockname()[1]}"}
    bucket, one = Bucket(replace(place(s3), **wrong), 20), uuid4()
    for asked in (bucket.put(one, b"x"), bucket.get(one), bucket.older(0, 0.0)):
        with pytest.raises(Unavailable) as refusal:
            await asked
        assert refusal.value.code == "storage_away"


async def test_a_server_that_does_not_answer_is_given_up(s3: LocalS3) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        silent = replace(place(s3), endpoint=f"http://127.0.0.1:{deaf.getsockname()[1]}")
        with pytest.raises(Unavailable):
            await Bucket(silent, 0.2).get(uuid4())


async def test_an_attachment_lies_sealed_in_the_bucket_and_goes_with_its_customer(
    service: RunningCustomer, s3: LocalS3
) -> None:
    assert (await service.http.get("/readyz")).json()["facts"] == {"scanner": "none", "storage": "s3"}
    customer = (await service.register())["id"]
    kept_one = (await keep(service, customer, pdf(text="confidential"))).json()["id"]
    [path] = s3.objects()
    assert b"confidential" not in path.read_bytes()
    async with service.database.reading() as tx:
        row = await tx.fetchrow("SELECT id::text, place, content FROM stored_object")
    assert tuple(row) == (path.name, "s3", None)
    shown = await service.get(f"/v1/customers/{customer}/attachments/{kept_one}/content")
    assert shown.content == pdf(text="confidential")
    await erase(service, customer)
    await run(service, "objects_removed_due")
    assert (s3.objects(), (await kept(service))["stored_object"]) == ([], 0)


async def test_an_outage_keeps_nothing_shows_nothing_and_is_survived(service: RunningCustomer, s3: LocalS3) -> None:
    customer = (await service.register())["id"]
    path = f"/v1/customers/{customer}/attachments/{(await keep(service, customer)).json()['id']}/content"
    s3.stop()
    try:
        answers = [await keep(service, customer, pdf(text="new")), await service.get(path)]
        with pytest.raises(Unavailable):
            await run(service, "objects_orphaned_due")
    finally:
        s3.start()  # in this thread: the server ends with the thread that started it
    assert {(each.status_code, each.json()["code"], each.headers["retry-after"]) for each in answers} == {
        (503, "storage_away", "5")
    }
    assert await kept(service) == {"attachment": 1, "attachment_version": 1, "stored_object": 1}
    assert (await service.get(path)).content == pdf()
    assert (await keep(service, customer, pdf(text="new"))).status_code == 201


async def test_objects_that_no_row_names_are_swept_wherever_they_lie(
    service: RunningCustomer, s3: LocalS3, tmp_path: Path
) -> None:
    customer, bucket, folder = (await service.register())["id"], Bucket(place(s3), 20), Folder(tmp_path / "objects")
    await keep(service, customer)
    lost = uuid4()
    for storage in (bucket, folder):
        await storage.put(lost, b"sealed")
    objects, part = Objects(bucket, folder), int(lost.hex[-2:], 16)
    objects._part = part - 1
    assert await sweep(service, objects, rounds=1) == 2
    assert (len(s3.objects()), files(tmp_path / "objects")) == (1, [])


async def test_old_objects_stay_readable_where_they_are(
    service: RunningCustomer, s3: LocalS3, dsn: str, issuer: Issuer, tmp_path: Path
) -> None:
    customer = (await service.register())["id"]
    old = (await keep(service, customer)).json()["id"]
    settings = {"storage": "files", "storage_folder": tmp_path / "objects", **s3.settings}
    async with made.running(dsn, issuer, **settings) as filed:
        await keep(filed, customer, pdf(text="new"))
        assert (await filed.get(f"/v1/customers/{customer}/attachments/{old}/content")).content == pdf()
        assert (len(files(tmp_path / "objects")), len(s3.objects())) == (1, 1)


@pytest.mark.parametrize(
    "settings",
    [
        {}, {"s3_endpoint": "http://127.0.0.1:9"}, {"s3_endpoint": "host:9"},
        {"s3_endpoint": "https://s3.example/bucket", "s3_bucket": "b", "s3_access_key": "a", "s3_secret_key": "s"},
    ],
    ids=lambda each: each.get("s3_endpoint", "none"),
)  # fmt: skip
def test_a_storage_that_is_set_up_by_halves_is_refused_at_the_start(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="storage s3"):
        made.settings_of("postgresql://nowhere", storage="s3", **settings)


def test_the_secret_is_not_shown(s3: LocalS3) -> None:
    settings: CustomerSettings = made.settings_of("postgresql://nowhere", storage="s3", **s3.settings)
    assert SECRET_KEY not in repr(settings)
