"""Signing in over HTTP."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class SignInRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    password: SecretStr = Field(min_length=1, max_length=1000)


class AccessToken(BaseModel):
    """RFC 6749 §5.1; `expires_in` in seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int


class TokenError(BaseModel):
    """RFC 6749 §5.2."""

    error: str
    error_description: str
