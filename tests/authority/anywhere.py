"""What the calls of the matrix need that belongs to no unit; part of the records."""

from datetime import timedelta
from functools import cached_property
from itertools import count
from typing import Any
from uuid import uuid4

from kehu.sample.shop_front import shop_front
from shared.clock import day_of, now
from tests.factories.live import FILE
from tests.factories.reporting import loans

_numbers = count(1)


class Common:
    """What belongs to no unit."""

    @property
    def unknown(self) -> str:
        """An id that nothing has."""
        return str(uuid4())

    @property
    def new_file(self) -> dict[str, Any]:
        """Values of a customer to register."""
        return {**FILE, "customer_code": f"AM-{uuid4().hex[:8]}-{next(_numbers)}"}

    @property
    def soon(self) -> str:
        """A day of the next weeks."""
        return (day_of(now()) + timedelta(14)).isoformat()

    @property
    def credit_wish(self) -> dict[str, Any]:
        """What is asked of a customer who wants to pay later."""
        answers = {
            "investigated_on": "2026-01-05", "means": "visit", "main_products": "matrix", "operating_state": "normal",
            "payment_record": "unknown", "credit_standing": "matrix",
        }  # fmt: skip
        return {"term_days": 30, "limit_fen": 100, "answers": answers}

    @cached_property
    def picture(self) -> bytes:
        return shop_front(1)

    @cached_property
    def letter(self) -> bytes:
        return "此致敬礼".encode()

    @property
    def import_form(self) -> dict[str, tuple[str | None, str]]:
        """A file to try, of a customer who is not there: it is said row by row, later, who may do what."""
        fields = {"kind": "retail", "mode": "update", "dry_run": "true"}
        return {
            **{name: (None, value) for name, value in fields.items()},
            "file": ("customers.csv", "customer_code,shop_name\nAM-NOBODY,x\n"),
        }

    @cached_property
    def loans(self) -> list[dict[str, Any]]:
        return loans(1)
