"""Settings of the customer service; environment names begin with CUSTOMER_."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.sealing import KeyRing
from shared.settings import ServiceSettings


class CustomerSettings(ServiceSettings):
    """What every service has, the keys that wrap the data keys of customers, the size of photographs,
    the memory of the process beside."""

    model_config = SettingsConfigDict(env_prefix="CUSTOMER_", frozen=True, extra="ignore", env_ignore_empty=True)

    kek: SecretStr = Field(
        description="key-encryption keys name:base64[,name:base64...] of 32 bytes each; the first one wraps"
    )

    photo_limit_bytes: int = Field(2_097_152, ge=1024, le=67_108_864, description="largest photograph")

    exchange_memory_mib: int = Field(
        2048, ge=512, le=16_384, description="memory of the process that reads and writes files of customers, MiB"
    )

    @field_validator("kek")
    @classmethod
    def _readable(cls, kek: SecretStr) -> SecretStr:
        KeyRing.parse(kek.get_secret_value())
        return kek
