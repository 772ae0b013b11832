"""Settings of the console; read once, by `shared.settings.load`."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.sealing import KeyRing
from shared.settings import ServiceSettings


class ConsoleSettings(ServiceSettings):
    """Where the other services are, and how long a browser stays signed in."""

    model_config = SettingsConfigDict(env_prefix="CONSOLE_", frozen=True, extra="ignore", env_ignore_empty=True)

    kek: SecretStr = Field(
        description="key ring that seals tokens of sessions: name:base64[,name:base64…], active first"
    )
    identity_url: str = Field(description="where pages sign people in")
    customer_url: str = Field(description="where pages ask for customers and open sealed values")
    reporting_url: str = Field(description="where pages ask for submissions")
    audit_url: str = Field(description="where pages ask for entries and their stream")
    notify_url: str = Field(description="where pages ask for messages")
    secure_cookies: bool = Field(True, description="false only where browsers come by plain HTTP (loopback)")
    session_idle_s: int = Field(1800, ge=60, le=86_400, description="a session ends this long after its last page")
    session_longest_s: int = Field(28_800, ge=60, le=86_400, description="and this long after signing in at the latest")
    peer_patience_s: float = Field(5, ge=0.1, le=60, description="how long a page waits for another service")

    @field_validator("kek")
    @classmethod
    def _is_key_ring(cls, value: SecretStr) -> SecretStr:
        KeyRing.parse(value.get_secret_value())
        return value

    @property
    def key_ring(self) -> KeyRing:
        return KeyRing.parse(self.kek.get_secret_value())

    @property
    def session_idle(self) -> timedelta:
        return timedelta(seconds=self.session_idle_s)

    @property
    def session_longest(self) -> timedelta:
        return timedelta(seconds=self.session_longest_s)

    @property
    def peers(self) -> Mapping[str, str]:
        """Address by name of each service that pages ask."""
        return {
            "identity": self.identity_url,
            "customer": self.customer_url,
            "reporting": self.reporting_url,
            "audit": self.audit_url,
            "notify": self.notify_url,
        }
