"""The page of somebody who was invited to set a password."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from services.identity.account.service import Accounts, typed_twice
from services.identity.sign_in.pages import Pages
from services.identity.sign_in.routes.page_door import page_router
from services.identity.sign_in.service import SignIns
from services.identity.sign_in.visits import Visit, Visits
from shared.clock import now
from shared.errors import Invalid

Code = Annotated[str, Path(max_length=60)]


def build(pages: Pages, visits: Visits, sign_ins: SignIns, accounts: Accounts) -> APIRouter:
    router = page_router(pages, visits)
    Anybody = Annotated[Visit, Depends(visits.of)]  # noqa: N806 - a type

    async def page(visit: Visit, code: str, name: str, problem: Invalid | None = None) -> Response:
        policy = accounts.policy(now())
        return pages.answer(visit, "invitation.html", problem, policy=policy, code=code, name=name)

    @router.get("/invitation/{code}")
    async def show_invitation(code: Code, visit: Anybody) -> Response:
        account, _ = await sign_ins.invited(code, now())
        return await page(visit, code, account.name)

    @router.post("/invitation/{code}")
    async def use_invitation(code: Code, visit: Anybody) -> Response:
        account, former = await sign_ins.invited(code, now())
        try:
            fit = await accounts.fit(
                account.name, typed_twice(visit.text("new_password"), visit.text("again")), former, now()
            )
        except Invalid as problem:
            return await page(visit, code, account.name, problem)
        await sign_ins.use_invitation(code, fit, now())
        return pages.answer(visit, "password_set.html")

    return router
