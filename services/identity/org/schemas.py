"""The organisation over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

UnitId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*$", max_length=64)]
Kind = Annotated[str, Field(min_length=1, max_length=40, description="code of the list unit_kind")]
Label = Annotated[str, Field(min_length=1, max_length=120, pattern=r"\S")]


class UnitTitle(BaseModel):
    model_config = ConfigDict(extra="forbid")

    zh: Label
    en: Label


class NewUnit(BaseModel):
    """A unit to open; `parent` is null for the top."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"id": "north", "parent": "hq", "kind": "branch", "title": {"zh": "北区", "en": "North"}}
        },
    )

    id: UnitId
    parent: UnitId | None
    kind: Kind
    title: UnitTitle


class UnitChange(BaseModel):
    """What is to be different; what is left out stays. `closed`: true closes the unit, false opens it again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"kind": "branch"}})

    kind: Kind | None = None
    title: UnitTitle | None = None
    closed: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        given = self.model_fields_set
        if not given:
            raise ValueError("name at least one of kind, title, closed")
        if empty := sorted(name for name in given if getattr(self, name) is None):
            raise ValueError(f"{', '.join(empty)} cannot be null")
        return self

    @property
    def wanted(self) -> dict[str, Any]:
        """The items that were given."""
        return self.model_dump(exclude_unset=True)


class UnitPlace(BaseModel):
    """Below which unit one is to stand; null for the top."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"parent": "south"}})

    parent: UnitId | None


class UnitView(BaseModel):
    """An organisation unit; `parent` is null for the top."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "id": "north", "parent": "hq", "kind": "branch", "title": {"zh": "北区", "en": "North"}, "version": 1,
                "closed_at": None,
            }
        },
    )  # fmt: skip

    id: str
    parent: str | None
    kind: str
    title: UnitTitle
    version: int
    closed_at: datetime | None


class ItemChange(BaseModel):
    before: Any
    after: Any


class UnitVersion(BaseModel):
    """What one version changed."""

    version: int
    event_id: UUID
    at: datetime
    actor: str
    changes: dict[str, ItemChange]
