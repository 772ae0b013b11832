"""Client systems over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.identity.client.rules import Kind

Label = Annotated[str, Field(min_length=1, max_length=120)]
Uris = Annotated[tuple[str, ...], Field(max_length=20)]
Roles = Annotated[tuple[str, ...], Field(max_length=20)]


class Title(BaseModel):
    model_config = ConfigDict(extra="forbid")

    zh: Label
    en: Label


class NewClient(BaseModel):
    """A client to enter: an app says where codes may go; the others have a unit, roles and a secret."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "field-app",
                "kind": "app",
                "title": {"zh": "外勤应用", "en": "Field app"},
                "redirect_uris": ["https://field.example/back"],
            }
        },
    )

    name: str = Field(pattern=r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*$", max_length=64)
    kind: Kind
    title: Title
    unit: str | None = Field(None, max_length=64)
    roles: Roles = ()
    redirect_uris: Uris = ()
    sign_out_uris: Uris = ()


class ClientChange(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    unit: str | None = Field(None, max_length=64)
    roles: Roles | None = None
    redirect_uris: Uris | None = None
    sign_out_uris: Uris | None = None

    @field_validator("title", "roles", "redirect_uris", "sign_out_uris", mode="before")
    @classmethod
    def _is_given(cls, value: Any) -> Any:
        """Left out is one thing, null another."""
        if value is None:
            raise ValueError("leave it out, or give a value")
        return value


class ClientView(BaseModel):
    name: str
    kind: Kind
    title: Title
    unit: str | None
    roles: list[str]
    redirect_uris: list[str]
    sign_out_uris: list[str]
    active: bool
    version: int


class MadeClient(ClientView):
    """A client that was just entered. `secret`: shown here and never again; null for an app."""

    secret: str | None


class NewSecret(BaseModel):
    """A further secret, shown here and never again; the former one goes on until `former_ends_at`."""

    secret: str
    former_ends_at: datetime
