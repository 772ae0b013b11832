"""Runs the processes on the path of a change, as production does, to be killed, paused and started again by name.

Every suite has databases and topics of its own on the servers that it is given. Called by the reliability tests and
by chaos; judges nothing.
"""

import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final

from kehu.child import stop
from kehu.data import DataDirectory
from kehu.kafka import LocalKafka
from kehu.plan import Plan
from kehu.postgres import PostgresServer
from kehu.programs import ServiceProcess
from services.audit.app import SERVICE as AUDIT
from services.customer.app import SERVICE as CUSTOMER
from services.notify.app import SERVICE as NOTIFY
from shared.migrations import upgrade
from tests.factories.ports import free_block
from tests.fakes.issuer import Issuer
from tests.reliability.planted import PLANTS

SERVICES: Final = ("customer", "audit", "notify")
PATH: Final = ("customer.api", "customer.worker", "audit.worker", "notify.worker")
"""The least that a change needs on its way to the log and to the inbox."""
WHOLE: Final = (*PATH, "audit.api", "notify.api")
REPLICATED: Final = (*WHOLE, "customer.api.2", "customer.worker.2", "audit.worker.2")

_MIGRATIONS: Final = {each.name: each.migrations for each in (CUSTOMER, AUDIT, NOTIFY)}
_PORTS: Final = 36
_REPLICA_PORTS: Final = 20
_STARTUP_S: Final = 40.0
_suites = count(1)

# An offset that goes back shows a member that was not fenced; it would be caught up with before anybody looks.
_WATCH_OFFSETS: Final = """
CREATE TABLE offset_regression (lane text, before bigint, after bigint);
ALTER TABLE offset_regression OWNER TO {role};
CREATE FUNCTION note_regression() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO offset_regression VALUES (concat_ws(' ', new.consumer_group, new.topic, new.partition),
    old.next_position, new.next_position); RETURN new; END $$;
CREATE TRIGGER note_regression AFTER UPDATE ON consumer_offset FOR EACH ROW
  WHEN (new.next_position < old.next_position) EXECUTE FUNCTION note_regression();
"""


@dataclass(frozen=True, slots=True)
class Servers:
    """The real servers below a suite; `kafka` is None if somebody else runs the broker, or there is none."""

    postgres: PostgresServer
    issuer: Issuer
    bus: str = "postgres"
    bootstrap: str = ""
    kafka: LocalKafka | None = None


@dataclass
class Member:
    """One process of a suite."""

    name: str
    service: str
    verb: str
    url: str
    directory: Path
    environment: Mapping[str, str]
    plant: str = ""
    _armed: bool = field(default=False, init=False)
    _running: ServiceProcess | None = field(default=None, init=False)

    def start(self, *, crash: str = "", pause: str = "") -> None:
        """Start it, to die at a crash point or to stop itself at one, if one is named."""
        module = f"services.{self.service}"
        options = [*(("--plant", self.plant) if self.plant else ()), *(("--pause", pause) if pause else ())]
        launcher = ["tests.reliability.planted", *options] if options else []
        command = [sys.executable, "-m", *launcher, module, self.verb]
        environment = {**self.environment, "KEHU_TEST_BUILD": "1", "KEHU_CRASH": crash}
        log = self.directory.with_suffix(".log")
        self._running = ServiceProcess(command, environment, url=self.url, directory=self.directory, log=log)
        self._running.start()
        self._armed = bool(crash)

    def disarm(self) -> None:
        """kill -9 if it still is to die at a crash point."""
        if self._armed:
            self.kill()

    @property
    def is_running(self) -> bool:
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        return self._running.pid if self._running is not None else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self._running is not None and self._running.process is not None and self.is_running:
            self._running.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait for the end."""
        self.signal(signal.SIGKILL)
        if self._running is not None and self._running.process is not None:
            self._running.process.wait()

    def await_ready(self, within_s: float = _STARTUP_S) -> None:
        """Return when it says that it is ready."""
        eventually(lambda: self._running is not None and self._running.is_ready(), within_s, f"{self.name} ready", self)

    def is_ready(self) -> bool:
        return self._running is not None and self._running.is_ready()

    def await_crash(self, within_s: float = 20.0) -> None:
        """Return when it has killed itself at its crash point; AssertionError if it lives on or ended otherwise."""
        eventually(lambda: not self.is_running, within_s, f"{self.name} dead at its crash point", self)
        assert self._running is not None and self._running.process is not None
        assert self._running.process.returncode == -signal.SIGKILL, f"{self.name} ended otherwise\n{self.tail()}"

    def await_pause(self, within_s: float = 20.0) -> None:
        """Return when it has stopped itself at its pause point."""
        assert self._running is not None and self._running.process is not None
        status = Path(f"/proc/{self._running.process.pid}/stat")
        eventually(
            lambda: status.read_text().rpartition(")")[2].split()[0] == "T", within_s, f"{self.name} paused", self
        )

    def stop(self) -> None:
        """Orderly end."""
        if self._running is not None and self._running.process is not None:
            stop([self._running.process], signal.SIGTERM, 12)

    def tail(self) -> str:
        """The last lines of its log."""
        log = self.directory.with_suffix(".log")
        return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""


class Suite:
    """`with Suite(servers) as suite:` has fresh databases; `start` runs the members; the end of the block kills them.

    `plant` names a bug of tests.reliability.planted, which the members that it concerns then have; `settings` are more
    environment variables for all.
    """

    def __init__(self, servers: Servers, *, members: Sequence[str] = PATH, plant: str = "", **settings: str) -> None:
        self.servers = servers
        self.tag = f"s{next(_suites)}x{random.randrange(16**6):06x}"
        self.topic_prefix = f"kehu-{self.tag}"
        self.directory = Path(tempfile.mkdtemp(prefix="kehu-reliability-"))
        self.members: dict[str, Member] = {}
        self._names = tuple(members)
        self._plant = plant
        self._settings = settings
        data = DataDirectory(self.directory)
        data.secrets.mkdir(mode=0o700)
        self.plan = Plan(data, bus=servers.bus, port_base=free_block(_PORTS), services=SERVICES)

    def __enter__(self) -> "Suite":
        for service in SERVICES:
            self._create_database(service)
            self.execute(_WATCH_OFFSETS.format(role=self.database(service)), service)
        self.servers.postgres.create_database(self.database("bus"))
        if self._plant:
            for service, script in PLANTS[self._plant].schema.items():
                self.execute(script, service)
        for name in self._names:
            self.members[name] = self._member(name)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        for member in self.members.values():
            member.kill()
        for name in (*SERVICES, "bus"):
            self.servers.postgres.drop_database(self.database(name))
        shutil.rmtree(self.directory)

    def start(self) -> None:
        """Start those that do not run, and return when all are ready."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start those that do not run.

        Not to be called in a thread that ends: the kernel tells a process of the end of the thread that started it.
        """
        for member in self.members.values():
            if not member.is_running:
                member.start()

    def await_ready(self) -> None:
        for member in self.members.values():
            member.await_ready()

    def database(self, service: str) -> str:
        """Name of a service's database and role."""
        return f"{service}_{self.tag}"

    def _create_database(self, service: str) -> None:
        """A copy of the template, whose role may do what the owner of the copied tables may."""
        self.servers.postgres.create_database(self.database(service), template=_template(service))
        self.servers.postgres.execute(f"GRANT {_template(service)} TO {self.database(service)}")

    def dsn(self, service: str) -> str:
        return self.servers.postgres.dsn(self.database(service))

    def execute(self, script: str, service: str) -> str:
        """Run psql input as the superuser in a service's database."""
        return self.servers.postgres.execute(script, self.database(service))

    @property
    def bus_url(self) -> str:
        return self.dsn("bus") if self.servers.bus == "postgres" else self.servers.bootstrap

    @property
    def kek(self) -> str:
        """The key ring of the customer service, as its settings hold it."""
        return self.plan.environment("customer", "", "")["CUSTOMER_KEK"]

    @property
    def checkpoint_seed(self) -> str:
        return self.plan.environment("audit", "", "")["AUDIT_CHECKPOINT_SEED"]

    def url(self, name: str) -> str:
        return self.members[name].url

    def urls(self, service: str) -> list[str]:
        """Addresses of all apis of a service."""
        return [each.url for each in self.members.values() if (each.service, each.verb) == (service, "api")]

    def _member(self, name: str) -> Member:
        service, verb, *number = name.split(".")
        shift = _REPLICA_PORTS * (int(number[0]) - 1) if number else 0
        port, worker_port = self.plan.port(service) + shift, self.plan.port(service, "worker") + shift
        prefix = service.upper()
        environment = {
            **self.plan.environment(service, self.dsn(service), self.bus_url),
            f"{prefix}_ISSUER": self.servers.issuer.url,
            f"{prefix}_AUTHORITY": "claims",  # no identity service, so no directory
            f"{prefix}_TOPIC_PREFIX": self.topic_prefix,
            f"{prefix}_PORT": str(port),
            f"{prefix}_WORKER_PORT": str(worker_port),
            **self._settings,
        }
        url = f"http://127.0.0.1:{port if verb == 'api' else worker_port}"
        plant = self._plant if self._plant and f"{service}.{verb}" in PLANTS[self._plant].members else ""
        return Member(name, service, verb, url, self.directory / name.replace(".", "-"), environment, plant)


def make_templates(postgres: PostgresServer) -> None:
    """Migrate, once a server, the databases that every suite copies. Not to be called from within an event loop."""
    for service in SERVICES:
        upgrade(_MIGRATIONS[service], postgres.create_database(_template(service)))


def _template(service: str) -> str:
    return f"template_{service}"


def eventually(holds: Callable[[], bool], within_s: float, what: str, member: Member | None = None) -> None:
    """Return when `holds`; AssertionError, with the tail of the member's log, if it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not in {within_s:g} s: {what}\n{member.tail() if member else ''}"
        time.sleep(0.02)
