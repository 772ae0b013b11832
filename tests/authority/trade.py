"""What calls about dealings and credit are about: part of `records`."""

from abc import ABC, abstractmethod
from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

from shared.clock import day_of, now
from tests.authority.anywhere import Common
from tests.authority.cast import Cast
from tests.authority.stage import ABOVE


class TradeOfUnit(ABC):
    """What belongs to the unit at a place."""

    unit: str
    _cast: Cast
    _place: str

    @abstractmethod
    def _register(self, **values: str) -> dict[str, Any]:
        """A customer of the unit."""

    @property
    @abstractmethod
    def customer(self) -> str:
        """The customer of the unit."""

    @cached_property
    def purchase(self) -> dict[str, Any]:
        """The one purchase of the customer: recorded again and again, it changes nothing."""
        return {
            "source_id": f"matrix-{self.customer}", "customer_id": self.customer, "month": "2026-01", "quantity": 1,
            "amount_fen": 100, "varieties": 1, "orders": 1, "orders_planned": 1, "payments_late": 0,
        }  # fmt: skip

    @cached_property
    def violation(self) -> dict[str, Any]:
        """A violation of the customer that was withdrawn: it, too, changes nothing."""
        return {
            "source_id": f"matrix-{self.customer}", "customer_id": self.customer, "found_on": "2026-01-05",
            "kind": "matrix", "severity": "minor", "withdrawn": True,
        }  # fmt: skip

    @property
    def violation_source(self) -> str:
        """The source of one more violation of the customer."""
        row = {**self.violation, "source_id": str(uuid4())}
        body = {"violations": [row]}
        self._cast.do("customer", "POST", "/v1/dealings", "department_manager", ABOVE, json=body)
        return str(row["source_id"])

    def _ask_credit(self) -> dict[str, Any]:
        """A form for credit of a customer of its own."""
        path = f"/v1/customers/{self._register()['id']}/credit/forms"
        body = Common().credit_wish
        form: dict[str, Any] = self._cast.do("customer", "POST", path, "customer_manager", self._place, json=body)
        return form

    @cached_property
    def _credit_form(self) -> dict[str, Any]:
        return self._ask_credit()

    @property
    def credit_form(self) -> str:
        return str(self._credit_form["id"])

    @property
    def credit_asker(self) -> str:
        """The customer of that form."""
        return str(self._credit_form["customer_id"])

    @cached_property
    def credit_bill(self) -> dict[str, Any]:
        """The one bill of a customer who has credit: recorded again and again, it changes nothing."""
        form, today = self._ask_credit(), day_of(now())
        path = f"/v1/customers/{form['customer_id']}/credit/forms/{form['id']}/approval"
        self._cast.do("customer", "POST", path, "department_manager", ABOVE)
        return {
            "source_id": f"matrix-{form['id']}", "customer_id": form["customer_id"],
            "supplied_on": today.isoformat(), "due_on": (today + timedelta(14)).isoformat(), "amount_fen": 100,
        }  # fmt: skip

    @property
    def credit_bill_source(self) -> str:
        """The source of one more bill of that customer."""
        row = {**self.credit_bill, "source_id": str(uuid4())}
        self._cast.do("customer", "POST", "/v1/credit/bills", "department_manager", ABOVE, json={"bills": [row]})
        return str(row["source_id"])

    @property
    def billed_unit(self) -> str:
        """The unit, with an unpaid bill in it."""
        return self.unit if self.credit_bill_source else ""
