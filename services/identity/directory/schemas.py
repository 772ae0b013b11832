"""The directory over HTTP."""

from pydantic import BaseModel, ConfigDict


class UnitTitle(BaseModel):
    zh: str
    en: str


class Unit(BaseModel):
    """An organisation unit; `parent` is null for the top."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"id": "north", "parent": "hq", "title": {"zh": "北区", "en": "North"}}}
    )

    id: str
    parent: str | None
    title: UnitTitle


class Units(BaseModel):
    items: list[Unit]


class Me(BaseModel):
    """The caller: who they are, and what their roles grant. `full_name` is null for an account of another issuer."""

    name: str
    full_name: str | None
    actor: str
    roles: list[str]
    unit: str
    actions: list[str]
