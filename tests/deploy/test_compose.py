"""The compose file starts every service in every role, hardened, bounded, watched, and in order."""

import importlib.util
import re
from pathlib import Path

import pytest

from kehu.data import DataDirectory
from kehu.kafka import VERSION as KAFKA_VERSION
from kehu.plan import ROLES, SERVICES, Plan
from kehu.postgres import PostgresServer
from shared.process import VERBS
from tests.factories.deployment import COMPOSE, CONTAINERS, DEPLOY, OURS, PROCESSES, env_file

JOBS = [name for name, each in CONTAINERS.items() if each["restart"] == "no"]
SIZES = {"m": 1, "g": 1024}


def test_every_service_runs_in_every_role_behind_its_own_migration() -> None:
    expected = {f"{name}-{role}" for name in SERVICES for role in (*ROLES, "migrate")}
    assert OURS.keys() == expected
    for name, container in OURS.items():
        service, _, verb = name.partition("-")
        assert container["command"] == [f"services.{service}", verb]
        assert importlib.util.find_spec(f"services.{service}.__main__")
        assert verb in VERBS
        assert container["env_file"] == [f"${{KEHU_ENV:?the folder made by deploy/fill_in.py}}/{service}.env"]


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_can_change_nothing_but_its_volumes_and_may_do_nothing_special(name: str) -> None:
    container = CONTAINERS[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert int(container["user"].partition(":")[0]) > 0
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & container.keys()
    assert any(each.startswith("/tmp") for each in container["tmpfs"])
    assert "docker.sock" not in str(container)


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_limits(name: str) -> None:
    limits = CONTAINERS[name]["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory", "pids"}
    assert CONTAINERS[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", sorted(CONTAINERS.keys() - set(JOBS)))
def test_what_keeps_running_is_restarted_and_watched(name: str) -> None:
    assert CONTAINERS[name]["restart"] == "unless-stopped"
    assert CONTAINERS[name]["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= CONTAINERS[name]["healthcheck"].keys()


@pytest.mark.parametrize("name", CONTAINERS)
def test_an_image_is_pinned_to_one_release(name: str) -> None:
    image, _, tag = CONTAINERS[name]["image"].partition(":")
    assert image
    assert re.fullmatch(r"v?\d+(\.\d+)+(-[a-z]+)?", tag)


def test_servers_are_of_the_versions_that_the_tests_run_on(postgres: PostgresServer) -> None:
    here = postgres.execute("SHOW server_version").split()[0]
    assert CONTAINERS["postgres"]["image"].startswith(f"postgres:{here}-")
    assert CONTAINERS["databases"]["image"] == CONTAINERS["postgres"]["image"]
    assert CONTAINERS["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_nothing_starts_before_what_it_needs() -> None:
    assert CONTAINERS["databases"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in OURS:
        service, _, verb = name.partition("-")
        if verb == "migrate":
            expected = {"databases": {"condition": "service_completed_successfully"}}
        else:
            expected = {
                f"{service}-migrate": {"condition": "service_completed_successfully"},
                "kafka": {"condition": "service_healthy"},
            }
        assert OURS[name]["depends_on"] == expected


def test_data_outlive_their_containers() -> None:
    volumes = {
        volume.partition(":")[0]: name
        for name, container in CONTAINERS.items()
        for volume in container.get("volumes", ())
        if not volume.startswith("./")
    }
    assert volumes == {each: each for each in ("postgres", "kafka", "prometheus", "grafana")}
    assert COMPOSE["volumes"].keys() == volumes.keys()


def test_ports_are_on_loopback_and_the_servers_have_none() -> None:
    published = {name: each["ports"] for name, each in CONTAINERS.items() if "ports" in each}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert not {"postgres", "kafka"} & published.keys()
    for name in SERVICES:
        port = Plan(DataDirectory(Path("nowhere"))).port(name)
        assert published[f"{name}-api"][0] == f"127.0.0.1:{port}:8000"


def test_browsers_and_services_reach_the_issuer_by_one_address() -> None:
    (issuer,) = {env_file(DEPLOY / "env" / f"{name}.env")[f"{name.upper()}_ISSUER"] for name in SERVICES}
    identity = CONTAINERS["identity-api"]
    host, port = issuer.removeprefix("http://").split(":")
    assert host in identity["networks"]["inner"]["aliases"]
    assert host.endswith(".localhost"), "which browsers take for this machine"
    assert f"127.0.0.1:{port}:8000" in identity["ports"]


def test_postgres_and_kafka_are_on_a_network_without_a_way_out() -> None:
    assert COMPOSE["networks"]["inner"] == {"internal": True}
    assert CONTAINERS["postgres"]["networks"] == CONTAINERS["kafka"]["networks"] == ["inner"]


def test_no_secret_stands_in_the_compose_file() -> None:
    text = (DEPLOY / "docker-compose.yml").read_text(encoding="utf-8")
    assert not re.findall(r"(?i)(?:password|secret|kek|seed)\w*[ \t]*[:=][ \t]*[\"']?[A-Za-z0-9+/]{8,}", text)


def test_mounted_files_exist() -> None:
    for container in CONTAINERS.values():
        for volume in container.get("volumes", ()):
            source = volume.partition(":")[0]
            assert not source.startswith("./") or (DEPLOY / source).exists()


def test_a_process_may_take_as_long_to_stop_as_it_needs() -> None:
    needs = 5 + 10  # shared.process: answers under way, then loops
    assert all(int(OURS[name]["stop_grace_period"].removesuffix("s")) >= needs for name in PROCESSES)


def test_a_judge_fits_into_its_container() -> None:
    judge = int(env_file(DEPLOY / "env" / "reporting.env")["REPORTING_JUDGE_MEMORY_MIB"])
    assert _mebibytes(OURS["reporting-api"]["deploy"]["resources"]["limits"]["memory"]) >= judge + 512


def test_all_connections_fit_into_postgres() -> None:
    command = " ".join(CONTAINERS["postgres"]["command"])
    allowed = int(re.search(r"max_connections=(\d+)", command)[1])
    pools, leases = 8 * len(PROCESSES), 8 * len(SERVICES)
    assert pools + leases < allowed


def _mebibytes(text: str) -> int:
    return int(text[:-1]) * SIZES[text[-1]]
