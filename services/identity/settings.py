"""Settings of the identity service; read once, by `shared.settings.load`."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.sealing import KeyRing
from shared.settings import ServiceSettings


class IdentitySettings(ServiceSettings):
    """`issuer` is the address under which others reach this service: it stands in every token."""

    model_config = SettingsConfigDict(env_prefix="IDENTITY_", frozen=True, extra="ignore", env_ignore_empty=True)

    kek: SecretStr = Field(description="key ring that seals the signing keys: name:base64[,name:base64…], active first")
    directory_file: Path | None = Field(
        None, description="JSON or YAML of units, people and clients to add at start (docs/directory.md)"
    )
    token_lifetime_s: int = Field(900, ge=60, le=86_400, description="how long an access token is good for")
    key_prepublish_s: int = Field(
        900, ge=0, le=86_400, description="a new key is published this long before it signs, so that caches know it"
    )
    hashing_slots: int = Field(2, ge=1, le=64, description="passwords checked at once; each takes 64 MiB")
    hashing_queue: int = Field(200, ge=1, description="sign-ins that may wait for a slot; more are told to slow down")

    @field_validator("kek")
    @classmethod
    def _is_key_ring(cls, value: SecretStr) -> SecretStr:
        KeyRing.parse(value.get_secret_value())
        return value

    @property
    def key_ring(self) -> KeyRing:
        return KeyRing.parse(self.kek.get_secret_value())

    @property
    def token_lifetime(self) -> timedelta:
        return timedelta(seconds=self.token_lifetime_s)

    @property
    def key_prepublish(self) -> timedelta:
        return timedelta(seconds=self.key_prepublish_s)
