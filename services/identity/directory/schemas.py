"""The directory over HTTP."""

from datetime import date

from pydantic import BaseModel, ConfigDict


class HeldRole(BaseModel):
    """A role over a unit, now or to come; `deputy_for`: held in the place of somebody absent."""

    model_config = ConfigDict(from_attributes=True)

    role: str
    unit: str
    from_on: date
    until_on: date | None
    deputy_for: str | None


class Restated(BaseModel):
    """How much was published once more."""

    units: int
    people: int
    clients: int
    keys: int


class Me(BaseModel):
    """The caller: who they are, and what their roles grant. `full_name` is null for an account of another issuer.

    `roles` and `actions` are what counts at this moment; `held` is what the directory says of the person.
    """

    name: str
    full_name: str | None
    actor: str
    roles: list[str]
    unit: str
    actions: list[str]
    held: list[HeldRole]
