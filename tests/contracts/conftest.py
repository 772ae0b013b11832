"""The live suite that the contract is held against; which bus is under it makes no difference to callers."""

from collections.abc import Iterator

import pytest

from tests.factories.live import Live, directory_of_run, shared


@pytest.fixture(scope="package")
def live(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Live]:
    with shared(directory_of_run(tmp_path_factory, worker_id) / "live-postgres") as live:
        yield live
