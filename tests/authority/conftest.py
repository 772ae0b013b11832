"""The matrix over the live suite of the run; which bus is under it makes no difference to who may."""

from collections.abc import Iterator

import pytest

from tests.authority.asking import Asker
from tests.authority.cast import Cast
from tests.authority.matrix import Matrix, closed
from tests.authority.oracle import Oracle
from tests.authority.stage import PARENTS, make_regimes, replicas
from tests.factories.live import Live, directory_of_run, shared


@pytest.fixture(scope="package")
def live(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Live]:
    with shared(directory_of_run(tmp_path_factory, worker_id) / "live-postgres") as live:
        yield live


@pytest.fixture(scope="package")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """What the declared roles and the made ones say."""
    folder = tmp_path_factory.mktemp("authority")
    make_regimes(folder)
    return Oracle(PARENTS, folder)


@pytest.fixture(scope="package")
def matrix(live: Live, oracle: Oracle) -> Matrix:
    documents = {service: live.nobody(service).get("/openapi.json").json() for service in live.urls}
    return Matrix([each for service, document in documents.items() for each in closed(service, document)], oracle)


@pytest.fixture(scope="package")
def asker(live: Live, oracle: Oracle, matrix: Matrix) -> Iterator[Asker]:
    with replicas(live, oracle.root) as urls:
        cast = Cast(live, urls)
        cast.await_everybody(oracle.roles)
        yield Asker(matrix, cast)
        cast.close()
