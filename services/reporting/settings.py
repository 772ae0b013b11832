"""What the reporting service can be told. Environment prefix REPORTING_."""

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.sealing import KeyRing
from shared.settings import ServiceSettings


class ReportingSettings(ServiceSettings):
    """Frozen; `REPORTING_KEK` opens everything that was filed and belongs outside the database's reach."""

    model_config = SettingsConfigDict(env_prefix="REPORTING_", frozen=True, extra="ignore", env_ignore_empty=True)

    body_limit_bytes: int = Field(67_108_864, ge=1024, description="largest submission, as sent")
    kek: SecretStr = Field(description="key-encryption keys `name:base64[,name:base64...]`, the active one first")
    judges: int = Field(1, ge=1, le=64, description="processes that read and judge submissions, for each api")
    judge_queue: int = Field(8, ge=0, le=1000, description="submissions that may wait for a judge; more get 503")

    judge_memory_mib: int = Field(4096, ge=512, description="address space of a judge; what needs more gets 413")

    @field_validator("kek")
    @classmethod
    def _opens(cls, value: SecretStr) -> SecretStr:
        KeyRing.parse(value.get_secret_value())
        return value

    @property
    def key_ring(self) -> KeyRing:
        """The keys of `kek`, ready for use."""
        return KeyRing.parse(self.kek.get_secret_value())
