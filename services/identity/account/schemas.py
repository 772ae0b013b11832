"""Accounts over HTTP."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class AccountView(BaseModel):
    """How things stand with an account; nothing of its secrets. `password_set_at`: null while there is none."""

    name: str
    locked: bool
    password_set_at: datetime | None
    password_due: bool
    second_factor: bool


class Invitation(BaseModel):
    """A one-time link with which a person sets a password: shown here and never again."""

    name: str
    code: str
    link: str
    expires_at: datetime


class OwnPasswordChange(BaseModel):
    """The present password, and the one to take its place."""

    model_config = ConfigDict(extra="forbid")

    password: SecretStr = Field(min_length=1, max_length=1000)
    new_password: SecretStr = Field(min_length=1, max_length=1000)


class Proof(BaseModel):
    """The caller's present password, for what a stolen token must not do."""

    model_config = ConfigDict(extra="forbid")

    password: SecretStr = Field(min_length=1, max_length=1000)


class Authenticator(BaseModel):
    """What an authenticator is set up with, as text and as `otpauth:` address: shown here and never again."""

    secret: str
    address: str


class Code(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=40)


class RecoveryCodes(BaseModel):
    """One-time codes for whoever lost the authenticator: shown here and never again."""

    recovery_codes: list[str]
