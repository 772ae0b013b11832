"""Starts a suite in order, keeps it running, stops it in order. One thread, one loop.

Order: PostgreSQL, databases, bus, migrations, apis (identity first), workers; the reverse to stop. Called by
`kehu up` alone. What a child does is its own matter: the supervisor sees whether it lives and says it is ready.
"""

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil
from alembic.script import ScriptDirectory

from kehu.child import end_leftovers, stop
from kehu.failure import SuiteFailed
from kehu.kafka import LocalKafka
from kehu.plan import PROJECT, ROLES, Plan, databases
from kehu.postgres import PostgresServer
from kehu.programs import ServiceProcess, Watched
from kehu.sample.directory import write_directory
from kehu.sample.once import CUSTOMERS, is_loaded, load_once
from kehu.screen import Screen
from kehu.settings import SuiteSettings
from shared.migrations import config_of

_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 12.0
_LOOK_SECONDS: Final = 0.1
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


class Supervisor:
    """Runs the suite of `plan` until a signal; `when_ready` is called once, when everything answers."""

    def __init__(self, plan: Plan, screen: Screen, when_ready: Callable[[], None]) -> None:
        self._plan = plan
        self._data = plan.data
        self._screen = screen
        self._when_ready = when_ready
        self._postgres = PostgresServer(plan.data.postgres)
        self._kafka: LocalKafka | None = None
        self._bus_url = ""
        self._services: dict[tuple[str, str], ServiceProcess] = {}
        self._watched: dict[str, Watched] = {}
        self._ready = False

    def run(self) -> None:
        """Return when a signal has ended the suite; raise `SuiteFailed` when it could not be started."""
        with self._data.held():
            for number in _STOPPING:  # SIGINT too: a shell starts what it puts in the background with it ignored
                signal.signal(number, _interrupt)
            try:
                self._start()
                self._when_ready()
                self._ready = True
                self._write_state()
                while True:
                    self._look()
                    time.sleep(_LOOK_SECONDS)
            except KeyboardInterrupt:
                self._screen.event("suite", "stopping")
            finally:
                for number in _STOPPING:
                    signal.signal(number, signal.SIG_IGN)
                self._stop()

    def _start(self) -> None:
        self._write_state()
        end_leftovers(self._data.work)
        self._refuse_taken_ports()
        wants_sample = self._wants_sample()
        steps = 2 + 2 * len(self._plan.services) + len(list(self._plan.roles())) + wants_sample * CUSTOMERS
        with self._screen.set_up(steps):
            write_directory(self._plan.vault, self._plan.directory_file, self._plan.url("console"))
            self._start_postgres()
            self._start_bus()
            self._migrate()
            self._start_services()
            if wants_sample:
                self._load_sample()

    def _refuse_taken_ports(self) -> None:
        taken = [f"{port} ({who})" for port, who in self._plan.ports().items() if not _is_free(port)]
        if taken:
            raise SuiteFailed(
                f"Taken by another program: port {', '.join(taken)}. Stop it, or choose others: kehu up --port-base N"
            )

    def _start_postgres(self) -> None:
        self._add("postgres", Watched("postgres", self._postgres))
        self._screen.advance()
        for name in databases(self._plan.services, self._plan.bus):
            self._postgres.create_database(name)
            self._screen.advance()

    def _start_bus(self) -> None:
        if self._plan.bus == "postgres":
            self._bus_url = self._postgres.dsn("bus")
            return
        settings = SuiteSettings()
        self._bus_url = settings.kafka_bootstrap_servers or ""
        if not self._bus_url:
            self._kafka = LocalKafka(self._data.kafka, cache=settings.kehu_cache)
            if not self._kafka.is_fetched():
                self._screen.event("kafka", "fetching Apache Kafka from Maven Central, about 43 MB, once")
            self._add("kafka", Watched("kafka", self._kafka))
            self._bus_url = self._kafka.bootstrap
        self._screen.advance()

    def _migrate(self) -> None:
        """Bring every database that is behind to its newest version, side by side."""
        running: dict[str, subprocess.Popen[bytes]] = {}
        for name in self._plan.services:
            if self._version_of(name) != _newest_version(name):
                self._screen.event(name, "migrating the database")
                migration = self._service(name, "migrate", self._plan.url(name))
                migration.start()
                assert migration.process is not None
                running[name] = migration.process
        for name in self._plan.services:
            if name in running and running[name].wait():
                raise SuiteFailed(f"The database of {name} could not be migrated:\n{self._tail(name, 'migrate')}")
            self._screen.advance()

    def _version_of(self, name: str) -> str:
        if not self._postgres.execute("SELECT to_regclass('alembic_version')", name):
            return ""
        return self._postgres.execute("SELECT version_num FROM alembic_version", name)

    def _start_services(self) -> None:
        for name, role in self._plan.roles():
            process = self._services[name, role] = self._service(name, role, self._plan.url(name, role))
            self._add(f"{name} {role}", Watched(f"{name} {role}", process))
        waiting = dict(self._services)
        deadline = time.monotonic() + _READY_SECONDS
        while waiting:
            self._look()
            for (name, role), process in list(waiting.items()):
                if process.is_ready():
                    del waiting[name, role]
                    self._screen.event(f"{name} {role}", "ready")
                    self._screen.advance()
            if waiting and time.monotonic() > deadline:
                name, role = next(iter(waiting))
                raise SuiteFailed(f"The {role} of {name} is not ready; its last words:\n{self._tail(name, role)}")
            time.sleep(_LOOK_SECONDS)

    def _wants_sample(self) -> bool:
        return {"identity", "customer"} <= {*self._plan.services} and not self._plan.empty and not is_loaded(self._data)

    def _load_sample(self) -> None:
        self._screen.event("sample", f"loading {CUSTOMERS} fictional customers")
        try:
            load_once(self._data, self._plan.url("customer"), self._screen.advance)
        except SuiteFailed as problem:
            self._screen.event("sample", f"{problem}; tried again at the next start", bad=True)
        else:
            self._screen.event("sample", "loaded")

    def _service(self, name: str, verb: str, url: str) -> ServiceProcess:
        return ServiceProcess(
            self._plan.command(name, verb),
            self._plan.environment(name, self._postgres.dsn(name), self._bus_url),
            url=url,
            directory=self._data.work / f"{name}-{verb}",
            log=self._log(name, verb),
        )

    def _add(self, name: str, watched: Watched) -> None:
        watched.start(time.monotonic())
        self._watched[name] = watched
        self._screen.event(name, f"started, pid {watched.program.pid}")
        self._write_state()

    def _look(self) -> None:
        for name, watched in self._watched.items():
            what = watched.look(time.monotonic())
            if what is not None:
                self._screen.event(name, what, bad=what != "started again")
                self._write_state()

    def _stop(self) -> None:
        for role in ROLES:
            processes = {key: each.process for key, each in self._services.items() if key[1] == role and each.process}
            stop(list(processes.values()), signal.SIGTERM, _STOP_SECONDS)
            for name, _ in processes:
                self._screen.event(f"{name} {role}", "stopped")
        if self._kafka is not None:
            self._kafka.stop()
            self._screen.event("kafka", "stopped")
        if "postgres" in self._watched:
            self._postgres.stop()
            self._screen.event("postgres", "stopped")

    def _write_state(self) -> None:
        own = psutil.Process()
        services: dict[str, Any] = {}
        for name, role in self._services:
            entry = services.setdefault(name, {"url": self._plan.url(name), "roles": {}})
            watched = self._watched.get(f"{name} {role}")
            if watched is not None:
                entry["roles"][role] = {"pid": watched.program.pid, "restarts": watched.restarts}
        servers = {
            name: {"pid": self._watched[name].program.pid, "restarts": self._watched[name].restarts}
            for name in ("postgres", "kafka")
            if name in self._watched
        }
        self._data.write_state(
            {
                "bus": self._plan.bus,
                "data": str(self._data.path),
                "supervisor": {"pid": own.pid, "created_at": own.create_time()},
                "ready": self._ready,
                "servers": servers,
                "services": services,
            }
        )

    def _log(self, name: str, verb: str) -> Path:
        return self._data.logs / f"{name}-{verb}.log"

    def _tail(self, name: str, verb: str) -> str:
        log = self._log(name, verb)
        return f"{log}:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-12:])


def _newest_version(name: str) -> str:
    folder = PROJECT / "services" / name / "migrations"
    return ScriptDirectory.from_config(config_of(folder, "")).get_current_head() or ""


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
