"""What a suite consists of: the services, their order, addresses and settings. The only code that knows them all.

Called by the supervisor and the commands; starts nothing.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from kehu.data import DataDirectory
from kehu.failure import SuiteFailed
from kehu.vault import Vault

SERVICES: Final = ("identity", "customer", "reporting", "audit", "notify", "console")
"""In the order of their start."""
ROLES: Final = ("api", "worker")
PROJECT: Final = Path(__file__).resolve().parent.parent
_PORTS: Final = {"console": 0, "customer": 1, "reporting": 2, "audit": 3, "notify": 4, "identity": 5}
_WORKER_PORTS: Final = 10
"""A worker serves health and metrics this far above its service's port."""
_SAMPLE_TOKEN_S: Final = 8 * 3600


@dataclass(frozen=True)
class Plan:
    """A suite on loopback from `port_base` on; `bus` is "postgres" or "kafka"."""

    data: DataDirectory
    bus: str = "postgres"
    port_base: int = 8100
    services: tuple[str, ...] = SERVICES
    empty: bool = False

    def __post_init__(self) -> None:
        if unknown := set(self.services) - set(SERVICES):
            raise SuiteFailed(f"No such service: {', '.join(sorted(unknown))}. There are {', '.join(SERVICES)}.")

    @property
    def vault(self) -> Vault:
        return Vault(self.data.secrets)

    @property
    def directory_file(self) -> Path:
        """The sample sign-ins with their secrets, for identity."""
        return self.data.secrets / "directory.json"

    def roles(self) -> Iterator[tuple[str, str]]:
        """(service, role) in the order of their start: every api before any worker."""
        return ((name, role) for role in ROLES for name in SERVICES if name in self.services)

    def port(self, name: str, role: str = "api") -> int:
        return self.port_base + _PORTS[name] + (_WORKER_PORTS if role == "worker" else 0)

    def url(self, name: str, role: str = "api") -> str:
        return f"http://127.0.0.1:{self.port(name, role)}"

    def ports(self) -> dict[int, str]:
        """Every port of the suite and who will listen there."""
        return {self.port(name, role): f"{name} {role}" for name, role in self.roles()}

    def command(self, name: str, verb: str) -> list[str]:
        return [sys.executable, "-m", f"services.{name}", verb]

    def environment(self, name: str, database_url: str, bus_url: str) -> dict[str, str]:
        """The settings of a service as environment variables; holds secrets."""
        settings = {
            "port": str(self.port(name)),
            "worker_port": str(self.port(name, "worker")),
            "database_url": database_url,
            "bus": self.bus,
            "bus_url": bus_url,
            "regimes_path": str(PROJECT / "regimes"),
            "issuer": self.url("identity"),
            "authority": "directory" if "identity" in self.services else "claims",
            **self._own_settings(name),
        }
        return {f"{name}_{key}".upper(): value for key, value in settings.items()}

    def _own_settings(self, name: str) -> Mapping[str, str]:
        peers = {f"{peer}_url": self.url(peer) for peer in _PORTS if peer != name}
        match name:
            case "customer" | "reporting":
                return {"kek": self._key_ring(f"{name}-kek")}
            case "audit":
                return {
                    "checkpoint_seed": _open(self.vault.key("audit-checkpoint-seed")),
                    "customer_url": peers["customer_url"],
                    "identity_url": peers["identity_url"],
                    **self._own_client("audit"),
                }
            case "identity":
                return {
                    "kek": self._key_ring("identity-kek"),
                    "directory_file": str(self.directory_file),
                    "token_lifetime_s": str(_SAMPLE_TOKEN_S),
                }
            case "console":
                return {
                    "kek": self._key_ring("console-kek"),
                    "secure_cookies": "false",
                    "url": self.url(name),
                    "account_url": f"{self.url('identity')}/account",
                    **peers,
                    **self._own_client(name),
                }
            case _:
                return {}

    def _own_client(self, name: str) -> Mapping[str, str]:
        """The name and secret by which a service asks others."""
        client = f"{name}-service"
        return {"service_client": client, "service_secret": _open(self.vault.password(client))}

    def _key_ring(self, name: str) -> str:
        return f"first:{_open(self.vault.key(name))}"


def _open(secret: SecretStr) -> str:
    return secret.get_secret_value()


def databases(services: Iterable[str], bus: str) -> list[str]:
    """One database a service, and one for the embedded bus."""
    return [*services, *(["bus"] if bus == "postgres" else [])]
