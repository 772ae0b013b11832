"""The live suite of the journeys, with each of the two buses in turn; and the second issuer."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from kehu.settings import SuiteSettings
from tests.factories.deployment import fill_in
from tests.factories.keycloak import KeycloakFailed, LocalKeycloak
from tests.factories.live import Live, directory_of_run, shared


@pytest.fixture(scope="package")
def kept_up() -> Iterator[tuple[ExitStack, dict[str, Live]]]:
    """The suites that this worker has used, by bus: up until it leaves the journeys, whose modules take turns."""
    with ExitStack() as stack:
        yield stack, {}


@pytest.fixture(scope="package", params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
def live(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
    kept_up: tuple[ExitStack, dict[str, Live]],
) -> Live:
    stack, suites = kept_up
    if request.param not in suites:
        directory = directory_of_run(tmp_path_factory, worker_id) / f"live-{request.param}"
        kafka = request.getfixturevalue("kafka") if request.param == "kafka" else ""
        suites[request.param] = stack.enter_context(shared(directory, kafka))
    return suites[request.param]


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKeycloak]:
    """A real Keycloak. One module asks for it, so that one worker starts it."""
    settings, directory = SuiteSettings(), tmp_path_factory.mktemp("keycloak")
    assert fill_in(directory / "env").returncode == 0
    server = LocalKeycloak(directory / "server", directory / "env", cache=settings.kehu_cache)
    try:
        server.start()
        yield server
    except KeycloakFailed as problem:
        if settings.ci:
            pytest.fail(f"no Keycloak, and CI may not skip its tests: {problem}")
        pytest.skip(f"NO KEYCLOAK, NOT TESTED AGAINST IT: {problem}")
    finally:
        server.stop()
