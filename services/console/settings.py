"""Settings of the console; read once, by `shared.settings.load`."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.sealing import KeyRing
from shared.settings import ServiceSettings


class ConsoleSettings(ServiceSettings):
    """Where the other services are, and who the console is at the issuer."""

    model_config = SettingsConfigDict(env_prefix="CONSOLE_", frozen=True, extra="ignore", env_ignore_empty=True)

    kek: SecretStr = Field(
        description="key ring that seals tokens of sessions: name:base64[,name:base64…], active first"
    )
    url: str = Field(
        pattern=r"^https?://[^\s?#]+$", description="the console's own address, where the issuer sends browsers back to"
    )
    client: str = Field("console", description="name under which people sign in to it, at the issuer")
    client_secret: SecretStr | None = Field(None, description="and its secret there, if it has one")
    account_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="the issuer's page where people see to their own account"
    )
    identity_url: str = Field(description="where pages ask for people")
    customer_url: str = Field(description="where pages ask for customers and open sealed values")
    reporting_url: str = Field(description="where pages ask for submissions")
    audit_url: str = Field(description="where pages ask for entries and their stream")
    notify_url: str = Field(description="where pages ask for messages")
    secure_cookies: bool = Field(True, description="false only where browsers come by plain HTTP (loopback)")
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
    def issuer_origin(self) -> str:
        """Scheme and host of the issuer, which forms may lead on to."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

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
