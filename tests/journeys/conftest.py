"""The live suite of the journeys, with each of the two buses in turn."""

from collections.abc import Iterator

import pytest

from tests.factories.live import Live, directory_of_run, shared


@pytest.fixture(scope="session", params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Live]:
    directory = directory_of_run(tmp_path_factory, worker_id) / f"live-{request.param}"
    kafka = request.getfixturevalue("kafka") if request.param == "kafka" else ""
    with shared(directory, kafka) as live:
        yield live
