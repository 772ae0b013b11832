"""What the environment may tell the `kehu` command; everything else is an option on the command line."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SuiteSettings(BaseSettings):
    """Read once per command or test run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    kafka_bootstrap_servers: str | None = Field(None, description="a running Kafka, host:port,...")
    kehu_cache: Path = Field(Path("~/.cache/kehu"), description="where the files of Apache Kafka and Keycloak are kept")
    ci: bool = Field(False, description="a missing Kafka or Keycloak fails the tests instead of skipping some")
