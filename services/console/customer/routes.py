"""The pages about customers."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from services.console.clients import Refused, panel
from services.console.customer.rules import read_value
from services.console.customer.service import Customers
from services.console.pages import Pages
from services.console.visits import Visit, Visits
from shared.errors import NotFound
from shared.web import Router

_CLASH = 412
Text = Annotated[str | None, Query(max_length=500)]
Code = Annotated[str, Path(max_length=80)]


def build(pages: Pages, visits: Visits, customers: Customers) -> Router:
    router = Router(prefix="/customers", include_in_schema=False)
    Person = Annotated[Visit, Depends(visits.signed_in)]  # noqa: N806 - a type

    @router.get("")
    async def list_customers(
        visit: Person,
        name: Text = None,
        number: Text = None,
        unit: Text = None,
        manager: Text = None,
        grade: Text = None,
        cursor: Text = None,
    ) -> Response:
        given = {"name": name, "number": number, "unit": unit, "manager": manager, "grade": grade}
        filters = {field: (value or "").strip() or None for field, value in given.items()}
        found = await panel(customers.page(visit, filters, cursor))
        return pages.answer(visit, "customers.html", filters=filters, found=found, is_first=cursor is None)

    @router.get("/{customer_id}")
    async def show_customer(visit: Person, customer_id: UUID, history: Text = None) -> Response:
        content = await customers.gather(visit, str(customer_id), history)
        return pages.answer(visit, "customer.html", is_newest_history=history is None, **content)

    @router.get("/{customer_id}/items/{code}")
    async def edit_item(visit: Person, customer_id: UUID, code: Code) -> Response:
        file, item = await customers.item(visit, str(customer_id), code)
        current = (file["values"].get(code) or {}).get("value")
        return _form(visit, file, _known(item), shown=current, etag=file["etag"])

    @router.post("/{customer_id}/items/{code}")
    async def change_item(visit: Person, customer_id: UUID, code: Code) -> Response:
        file, found = await customers.item(visit, str(customer_id), code)
        item, etag = _known(found), visit.text("etag") or file["etag"]
        wanted = read_value(item, visit.text("value"))
        try:
            await customers.change(visit, str(customer_id), {code: wanted}, etag)
        except Refused as refused:
            problem = refused.problem
            if problem.status not in (_CLASH, 422):
                raise
            # After a clash the person has seen the other value, so the next try is made on that version.
            etag = file["etag"] if problem.status == _CLASH else etag
            return _form(visit, file, item, shown=wanted, etag=etag, status=problem.status, problem=problem)
        return pages.redirect(f"/customers/{customer_id}#item-{code}")

    def _form(
        visit: Visit,
        file: dict[str, Any],
        item: dict[str, Any],
        *,
        shown: Any,
        etag: str,
        status: int = 200,
        **more: Any,
    ) -> Response:
        content = {"problem": None, **more}
        return pages.answer(visit, "item.html", status, customer=file, item=item, shown=shown, etag=etag, **content)

    return router


def _known(item: dict[str, Any] | None) -> dict[str, Any]:
    if item is None:
        raise NotFound("not_found", "The dictionary of this customer has no such item.")
    return item
