"""Settings of the customer service; environment names begin with CUSTOMER_."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.sealing import KeyRing
from shared.settings import ServiceSettings


class CustomerSettings(ServiceSettings):
    """What every service has, the keys that wrap data keys, bounds of content, where it lies,
    the memory of the process beside."""

    model_config = SettingsConfigDict(env_prefix="CUSTOMER_", frozen=True, extra="ignore", env_ignore_empty=True)

    kek: SecretStr = Field(
        description="key-encryption keys name:base64[,name:base64...] of 32 bytes each; the first one wraps"
    )

    photo_limit_bytes: int = Field(2_097_152, ge=1024, le=67_108_864, description="largest photograph")
    photo_limit_pixels: int = Field(50_000_000, ge=1024, le=100_000_000, description="most pixels of a photograph")
    photo_seconds: int = Field(20, ge=1, le=300, description="longest decoding of a photograph")
    attachment_limit_bytes: int = Field(20_971_520, ge=1024, le=67_108_864, description="largest attachment")
    scanner_url: str | None = Field(
        None, description="ClamAV daemon, tcp://host:port or unix:///path; none means that nothing is scanned"
    )
    scanner_seconds: float = Field(10, gt=0, le=300, description="longest scan of a file")
    storage: Literal["database", "files", "s3"] = Field(
        "database", description="where new content goes: database, files or s3"
    )
    storage_folder: Path | None = Field(
        None, description="folder of storage files, which api and worker both see; kept while it holds content"
    )

    s3_endpoint: str | None = Field(
        None, description="server of storage s3, http(s)://host[:port]; kept while it holds content"
    )
    s3_bucket: str = Field("", description="private bucket of storage s3, which nobody else writes to")
    s3_region: str = Field("us-east-1", description="region of that bucket")
    s3_access_key: str = Field("", description="access key that may read, write, list and delete in that bucket")
    s3_secret_key: SecretStr | None = Field(None, description="secret of that access key")
    s3_seconds: float = Field(20, gt=0, le=300, description="longest step of storage s3, retries included")

    exchange_memory_mib: int = Field(
        2048, ge=512, le=16_384, description="memory of the process that reads and writes files of customers, MiB"
    )

    @field_validator("kek")
    @classmethod
    def _readable(cls, kek: SecretStr) -> SecretStr:
        KeyRing.parse(kek.get_secret_value())
        return kek

    @field_validator("scanner_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        is_tcp = parts.scheme == "tcp" and parts.hostname and parts.port
        is_unix = parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/")
        if url is not None and not (is_tcp or is_unix):
            raise ValueError("name the daemon as tcp://host:port or unix:///path")
        return url

    @model_validator(mode="after")
    def _has_its_storage(self) -> Self:
        if self.storage == "files" and self.storage_folder is None:
            raise ValueError("storage files needs CUSTOMER_STORAGE_FOLDER")
        if self.storage == "s3" and self.s3_endpoint is None:
            raise ValueError("storage s3 needs CUSTOMER_S3_ENDPOINT")
        if self.s3_endpoint is not None:
            parts = urlsplit(self.s3_endpoint)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
                raise ValueError("name the server of storage s3 as http(s)://host[:port]")
            if not (self.s3_bucket and self.s3_access_key and self.s3_secret_key):
                raise ValueError(
                    "storage s3 needs CUSTOMER_S3_BUCKET, CUSTOMER_S3_ACCESS_KEY and CUSTOMER_S3_SECRET_KEY"
                )
        return self
