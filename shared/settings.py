"""Settings that every service has; each service subclasses `ServiceSettings` with its own prefix.

Built once, in the composition root, and passed down. Start fails with all missing and wrong names at once.
"""

from __future__ import annotations

import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PLACEHOLDER: Final = "change-me"
"""What secrets begin with in deploy/env, until somebody fills them in."""
CLAIM: Final = r"^[^.\s]+(\.[^.\s]+)*$"
"""A dotted path into the claims of a token: `preferred_username`, `realm_access.roles`."""


class ServiceSettings(BaseSettings):
    """Frozen settings, read from the environment with the service's prefix (`CUSTOMER_DATABASE_URL` ...)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address that api and worker listen on")
    port: int = Field(0, ge=0, le=65535, description="api listens here; 0 picks a free port")
    worker_port: int = Field(0, ge=0, le=65535, description="worker serves health and metrics here")
    database_url: SecretStr = Field(description="postgresql://role:password@host/database of this service")
    database_pool: int = Field(8, ge=1, le=200, description="connections per process")
    bus: str = Field(
        "postgres", pattern="^(postgres|kafka)$", description="transport between services: postgres or kafka"
    )
    bus_url: SecretStr = Field(
        description="postgresql://... of the bus database, or Kafka bootstrap servers host:port,..."
    )
    bus_partitions: int = Field(6, ge=1, le=256, description="partitions of a topic when it is created")
    bus_replication: int = Field(1, ge=1, le=9, description="Kafka replication factor when a topic is created")
    topic_prefix: str = Field("kehu", pattern=r"^[a-z][a-z0-9-]{0,40}$", description="first word of each topic name")
    regimes_path: Path = Field(Path("regimes"), description="folder of the declared measures")
    issuer: str = Field(description="URL of the OpenID issuer that signs the bearer tokens")
    audience: str = Field("kehu", description="what tokens must be meant for")
    jwks_url: str | None = Field(None, description="where the issuer's keys are, if discovery must not be used")
    authority: str = Field(
        "directory",
        pattern="^(directory|claims)$",
        description="where people's units and roles come from: the directory's events, or the tokens alone",
    )
    token_type: str = Field(
        "at+jwt", description="typ of the issuer's access tokens, by which no ID token passes for one (Keycloak: JWT)"
    )
    service_client: str | None = Field(None, description="name under which this service asks others, at the issuer")
    service_secret: SecretStr | None = Field(None, description="and its secret there")
    claim_name: str = Field("sub", pattern=CLAIM, description="claim of a token that names the caller")
    claim_roles: str = Field(
        "roles", pattern=CLAIM, description="claim that lists the caller's roles; a dot goes into a nested claim"
    )
    claim_unit: str = Field("unit", pattern=CLAIM, description="claim that names the caller's unit")
    claim_client: str = Field("client_id", pattern=CLAIM, description="claim that names a program that asks for itself")
    cors_origins: tuple[str, ...] = Field((), description="JSON list of origins whose pages may call the api")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="JSON list of networks whose X-Forwarded-For tells where a request comes from"
    )
    body_limit_bytes: int = Field(1_048_576, ge=1024, description="largest request body")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR")
    otlp_endpoint: str | None = Field(None, description="OpenTelemetry collector, OTLP over HTTP; none means no export")

    @field_validator("*", mode="before")
    @classmethod
    def _is_filled_in(cls, value: Any) -> Any:
        if isinstance(value, str) and PLACEHOLDER in value:
            raise ValueError(f"still holds the placeholder {PLACEHOLDER}-…; see deploy/README.md")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_network(each)) for each in value)

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The trusted proxies."""
        return tuple(ip_network(each) for each in self.trusted_proxies)


S = TypeVar("S", bound=ServiceSettings)


def load(kind: type[S]) -> S:
    """Read the settings, or end the process with one line for each missing or wrong variable."""
    try:
        return kind()
    except ValidationError as problem:
        prefix = str(kind.model_config.get("env_prefix", ""))
        lines = [
            f"  {prefix}{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in problem.errors(include_input=False, include_url=False)
        ]
        sys.exit("The settings are incomplete; set these variables (deploy/env/*.env shows each):\n" + "\n".join(lines))
