"""What an OpenID issuer answers, as far as the console needs it. Values are not quoted in errors: they are secrets."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Address = Annotated[str, Field(pattern=r"^https?://[^\s#]+$", max_length=2000)]
Token = Annotated[str, Field(min_length=1, max_length=8192)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Metadata(_Answer):
    """The discovery document (OpenID Connect Discovery 1.0 §3, RFC 9207 §3, RP-Initiated Logout 1.0 §2.1)."""

    issuer: str
    authorization_endpoint: Address
    token_endpoint: Address
    end_session_endpoint: Address | None = None
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Grant(_Answer):
    """Tokens (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3)."""

    access_token: Token = Field(repr=False)
    token_type: str = Field(pattern="^[Bb]earer$")
    refresh_token: Token | None = Field(None, repr=False)
    id_token: Token | None = Field(None, repr=False)


class GrantError(_Answer):
    """A refusal (RFC 6749 §5.2)."""

    error: str = Field(pattern=r"^[a-z_]{1,60}$")
