"""What the audit service can be told. Environment prefix AUDIT_."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from services.audit.log.note import Signer, Verifier
from shared.settings import ServiceSettings


class AuditSettings(ServiceSettings):
    """Frozen; `AUDIT_CHECKPOINT_SEED` is the log's signing key and belongs outside the database's reach."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_")

    origin: str = Field("kehu.example/audit", pattern=r"^[^\s+]{1,200}$", description="name of the log, for ever")
    checkpoint_seed: SecretStr = Field(description="base64 of the 32 secret bytes of the log's Ed25519 key")
    checkpoint_every_s: float = Field(0.2, ge=0.01, le=60, description="a grown tree is signed this often")
    former_keys: tuple[str, ...] = Field((), description="verifier keys that signed older checkpoints of this log")
    append_batch: int = Field(10_000, ge=1, le=10_000, description="most events of one append")
    customer_url: str = Field(description="the customer service, which opens sealed values for those who may see them")
    identity_url: str = Field(description="the identity service, which does the same for values about staff")

    @field_validator("checkpoint_seed")
    @classmethod
    def _is_a_seed(cls, value: SecretStr) -> SecretStr:
        try:
            size = len(b64decode(value.get_secret_value(), validate=True))
        except NotBase64 as error:
            raise ValueError("is not base64") from error
        if size != 32:
            raise ValueError("must be 32 bytes in base64")
        return value

    @field_validator("former_keys")
    @classmethod
    def _are_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(Verifier.parse(key)) for key in value)

    @property
    def owners(self) -> Mapping[str, str]:
        """Kind of subject -> the service that keeps it."""
        return {"customer": self.customer_url, "staff": self.identity_url}

    @property
    def signer(self) -> Signer:
        return Signer.of(self.origin, b64decode(self.checkpoint_seed.get_secret_value()))

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The keys whose checkpoints count, the present one first."""
        return (self.signer.verifier, *(Verifier.parse(key) for key in self.former_keys))
