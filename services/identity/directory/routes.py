"""The directory's HTTP door."""

from typing import Annotated

from services.identity.directory.schemas import Me, Unit, Units
from services.identity.directory.service import Directory
from shared.auth import Principal, SignedIn, may
from shared.web import Router, Tx


def build(directory: Directory) -> Router:
    router = Router(prefix="/v1", tags=["directory"])

    @router.get("/me", summary="Who the caller is, and what they may do")
    async def get_me(tx: Tx, who: SignedIn) -> Me:
        account = await directory.find(tx, who.name)
        return Me(
            name=who.name,
            full_name=account.full_name if account else None,
            actor=who.actor,
            roles=list(who.roles),
            unit=who.unit,
            actions=sorted(who.scopes),
        )

    @router.get("/units", summary="All organisation units, by id")
    async def list_units(tx: Tx, _who: Annotated[Principal, may("staff.read")]) -> Units:
        return Units(items=[Unit.model_validate(dict(row)) for row in await directory.units(tx)])

    return router
