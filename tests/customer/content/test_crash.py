"""The api dies between an object and its row: the object is swept, and the photograph can be sent again."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from services.customer.content.folder import Folder
from services.customer.content.service import Objects
from tests.customer.content.test_storage import files, sweep
from tests.customer.photo.test_put import kept, put
from tests.factories import customer as made
from tests.factories.customer import KEK, RunningCustomer
from tests.factories.pictures import png
from tests.factories.regimes import REGIMES
from tests.fakes.issuer import Issuer

ROOT = Path(__file__).parents[3]
POINT = "storage.after_object"


@contextmanager
def api(dsn: str, issuer: Issuer, folder: Path, point: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """An api of its own process, which will die at a crash point."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "DATABASE_URL": dsn, "BUS_URL": dsn, "ISSUER": issuer.url, "KEK": KEK, "REGIMES_PATH": str(REGIMES),
        "AUTHORITY": "claims", "PORT": str(port), "STORAGE": "files", "STORAGE_FOLDER": str(folder),
        "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    environment = {f"CUSTOMER_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "services.customer", "api"]
    armed = {**environment, "KEHU_TEST_BUILD": "1", "KEHU_CRASH": point}
    process = subprocess.Popen(command, cwd=ROOT, env=armed)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait(10)


async def ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await http.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


@pytest.mark.req("R1.6")
async def test_an_object_without_a_row_is_swept_and_no_row_is_without_its_object(
    dsn: str, issuer: Issuer, tmp_path: Path
) -> None:
    folder = tmp_path / "objects"
    async with made.running(dsn, issuer, storage="files", storage_folder=folder) as service:
        customer = (await service.register())["id"]
        with api(dsn, issuer, folder, f"{POINT}:2") as (address, process):
            async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as http:
                await ready(http)
                dying = RunningCustomer(service.parts, service.settings, issuer, http)
                with pytest.raises(httpx.TransportError):
                    await put(dying, customer, 1, png())
            assert await asyncio.to_thread(process.wait, 30) == -signal.SIGKILL
        assert (len(files(folder)), await kept(service)) == (2, 0)
        async with service.database.reading() as tx:
            assert await tx.fetchval("SELECT count(*) FROM stored_object") == 0
        assert await sweep(service, Objects(Folder(folder))) == 2
        assert files(folder) == []
        photo = (await put(service, customer, 1, png())).json()["id"]
        assert (await service.get(f"/v1/customers/{customer}/photos/{photo}")).content == png()
