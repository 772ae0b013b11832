"""What the calls of the matrix are about; made when a call first asks for it, by those whose task it is.

An entry names an attribute of one of these classes: `$customer` is the customer of the unit in question, `$day` the
same thing whoever asks. `cached_property` is made once, `property` anew for each call.
"""

import base64
import json
from functools import cached_property
from typing import Any
from uuid import uuid4

from tests.authority.anywhere import Common
from tests.authority.cast import Cast
from tests.authority.stage import (
    ABOVE,
    BYSTANDER,
    FORMER_PROGRAM,
    FULL_NAME,
    NOBODY,
    PROGRAM,
    SUCCESSOR,
    UNDERSTUDY,
    UNITS,
    name_of,
)
from tests.authority.trade import TradeOfUnit
from tests.factories.live import until
from tests.factories.reporting import PERIOD, REPORT, loans


class OfUnit(TradeOfUnit):
    """What belongs to the unit at a place."""

    def __init__(self, cast: Cast, place: str) -> None:
        self._cast = cast
        self._place = place

    @property
    def unit(self) -> str:
        return UNITS[self._place]

    @cached_property
    def closed_unit(self) -> str:
        """A unit below it that was closed."""
        unit, parts = f"{self.unit}.closed", {"json": {"closed": True}, "headers": {"If-Match": '"1"'}}
        return str(self._cast.do("identity", "PATCH", f"/v1/units/{unit}", "admin", ABOVE, **parts)["id"])

    @property
    def bystander(self) -> str:
        """Somebody of the unit who is asked about, and never asks."""
        return name_of(BYSTANDER, self._place)

    @property
    def understudy(self) -> str:
        """Another."""
        return name_of(UNDERSTUDY, self._place)

    @property
    def staff_table(self) -> tuple[str, str]:
        """A file to import that says of the bystander what holds already."""
        return ("staff.csv", f"name,full_name,unit\n{self.bystander},{FULL_NAME},{self.unit}\n")

    @property
    def keeper(self) -> str:
        """Who keeps a role in custody."""
        return name_of("report_entry", self._place)

    @property
    def supervisor(self) -> str:
        """Who can watch it being handed over."""
        return name_of("department_manager", self._place)

    @cached_property
    def change(self) -> str:
        """A change-over that was proposed."""
        parties = {"leaver": self.keeper, "successor": self.understudy, "supervisor": self.supervisor}
        body = {"role": "report_entry", "unit": self.unit, **parties}
        path = "/v1/custody-changes"
        return str(self._cast.do("identity", "POST", path, "responsible_leader", ABOVE, json=body)["id"])

    @property
    def program(self) -> str:
        """A partner's system that is asked about, and never asks."""
        return name_of(PROGRAM, self._place)

    @property
    def former_program(self) -> str:
        """Another; it may be closed."""
        return name_of(FORMER_PROGRAM, self._place)

    @cached_property
    def key(self) -> str:
        """A key of a partner's system that has no other."""
        path = f"/v1/clients/{name_of('partner_reporter', self._place)}/keys"
        return str(self._cast.do("identity", "POST", path, "security_officer", ABOVE, json={"title": "matrix"})["id"])

    @cached_property
    def line(self) -> str:
        """A number that the bystander has."""
        body = {"channel": "email", "value": f"{self.bystander}@kehu.example", "holder": self.bystander}
        return str(self._cast.do("identity", "POST", "/v1/lines", "admin", ABOVE, json=body)["id"])

    @property
    def holder(self) -> str:
        """The bystander, with a number."""
        return self.bystander if self.line else ""

    @cached_property
    def sealed_of_bystander(self) -> dict[str, str]:
        """The sealed values of the bystander's first event."""
        return self._sealed("identity", "staff_event", f"staff = '{self.bystander}'", f"staff/{self.bystander}")

    @cached_property
    def _file(self) -> dict[str, Any]:
        """A customer with a photograph, at version 2."""
        body = {"kind": "retail", "unit": self.unit, "values": Common().new_file}
        file: dict[str, Any] = self._cast.do(
            "customer", "POST", "/v1/customers", "department_manager", ABOVE, json=body
        )
        path = f"/v1/customers/{file['id']}/photos/shop_photo"
        headers = {"If-Match": '"1"', "Content-Type": "image/png"}
        put = self._cast.do(
            "customer", "PUT", path, "department_manager", ABOVE, content=Common().picture, headers=headers
        )
        self._cast.do("customer", "POST", f"/v1/customers/{file['id']}/grade/recheck", "department_manager", ABOVE)
        return {**file, "photo": put["id"]}

    @property
    def customer(self) -> str:
        return str(self._file["id"])

    @property
    def number(self) -> str:
        return str(self._file["values"]["customer_code"]["value"])

    @cached_property
    def reviewed_unit(self) -> str:
        """The unit, once the reviews of its customer are reckoned."""
        query = f"SELECT count(*) FROM review_due WHERE customer_id = '{self.customer}'"
        until(lambda: int(self._cast.live.query("customer", query)) > 0)
        return self.unit

    @cached_property
    def judged(self) -> str:
        """The customer, once the quality of the file is judged."""
        query = f"SELECT count(*) FROM quality WHERE level IS NOT NULL AND customer_id = '{self.customer}'"
        until(lambda: int(self._cast.live.query("customer", query)) > 0)
        return self.customer

    @property
    def judged_unit(self) -> str:
        """The unit of one."""
        return self.unit if self.judged else ""

    @property
    def subject(self) -> str:
        return f"customer/{self.customer}"

    @property
    def photo(self) -> str:
        return str(self._file["photo"])

    @cached_property
    def sealed(self) -> dict[str, str]:
        """The sealed values of the customer's first event."""
        which = f"customer_id = '{self.customer}'"
        return self._sealed("customer", "customer_event", which, f"customer/{self.customer}")

    def _sealed(self, service: str, table: str, which: str, subject: str) -> dict[str, str]:
        query = f"SELECT event_id, encode(sealed, 'base64') AS sealed FROM {table} WHERE {which} AND version = 1"
        row = json.loads(self._cast.live.query(service, f"SELECT row_to_json(found) FROM ({query}) found"))
        text = base64.b64encode(base64.b64decode(row["sealed"])).decode()  # PostgreSQL breaks lines
        return {"event_id": row["event_id"], "subject": subject, "sealed": text}

    @cached_property
    def erased_customer(self) -> str:
        body = {"kind": "retail", "unit": self.unit, "values": Common().new_file}
        file = self._cast.do("customer", "POST", "/v1/customers", "department_manager", ABOVE, json=body)
        path = f"/v1/customers/{file['id']}/key"
        self._cast.do("customer", "DELETE", path, "security_officer", ABOVE, json={"reason": "matrix"})
        return str(file["id"])

    def _form(self) -> str:
        body = {"kind": "retail", "unit": self.unit, "values": Common().new_file}
        return str(self._cast.do("customer", "POST", "/v1/registrations", "department_manager", ABOVE, json=body)["id"])

    @cached_property
    def form(self) -> str:
        """A draft at version 1."""
        return self._form()

    @property
    def unit_of_form(self) -> str:
        """The unit, with a draft in it."""
        return self.unit if self.form else ""

    @cached_property
    def form_handed_in(self) -> str:
        """A form at version 2, which waits."""
        form = self._form()
        path = f"/v1/registrations/{form}/submission"
        self._cast.do("customer", "POST", path, "department_manager", ABOVE, headers={"If-Match": '"1"'})
        return form

    @cached_property
    def partner(self) -> str:
        """Another customer of the unit."""
        body = {"kind": "retail", "unit": self.unit, "values": Common().new_file}
        return str(self._cast.do("customer", "POST", "/v1/customers", "department_manager", ABOVE, json=body)["id"])

    @cached_property
    def relation(self) -> str:
        """A relation of the customer, since the day that the call says again."""
        return self._related(since="2026-01-01")

    @cached_property
    def ended_relation(self) -> str:
        """Another, which is over."""
        relation, headers = self._related(), {"If-Match": '"1"'}
        path = f"/v1/customers/{self.customer}/relations/{relation}/end"
        parts = {"json": {"ended_on": "2026-02-01"}, "headers": headers}
        self._cast.do("customer", "POST", path, "department_manager", ABOVE, **parts)
        return relation

    def _related(self, **more: str) -> str:
        body = {"kind": "guarantor", "party": {"type": "company", "name": "示例公司"}, **more}
        path = f"/v1/customers/{self.customer}/relations"
        return str(self._cast.do("customer", "POST", path, "department_manager", ABOVE, json=body)["id"])

    @cached_property
    def attachment(self) -> str:
        """A letter of the customer; sent again, it is the same."""
        return self._attached(Common().letter)

    @cached_property
    def ended_attachment(self) -> str:
        """Another, which is over."""
        attachment, parts = self._attached(b"over"), {"json": {"reason": "matrix"}, "headers": {"If-Match": '"1"'}}
        path = f"/v1/customers/{self.customer}/attachments/{attachment}/end"
        self._cast.do("customer", "POST", path, "department_manager", ABOVE, **parts)
        return attachment

    def _attached(self, content: bytes) -> str:
        path = f"/v1/customers/{self.customer}/attachments?kind=correspondence&name=matrix"
        return str(self._cast.do("customer", "POST", path, "department_manager", ABOVE, content=content)["id"])

    @cached_property
    def contact(self) -> str:
        """A contact with the customer, at version 1."""
        body = {"kind": "letter", "at": "2026-06-01T09:00:00+08:00", "staff": [self.bystander]}
        parts = {"json": {**body, "record": {"summary": "matrix"}}}
        path = f"/v1/customers/{self.customer}/contacts"
        return str(self._cast.do("customer", "POST", path, "department_manager", ABOVE, **parts)["id"])

    @property
    def unit_of_contact(self) -> str:
        """The unit, where a contact is recorded by now."""
        return self.unit if self.contact else ""

    @cached_property
    def duplicate_pair(self) -> str:
        """Two files with one licence, and with nothing else that anybody's has."""
        licence = uuid4().hex[:20]
        for _ in range(2):
            name = uuid4().hex
            last = self._register(licence_number=licence, shop_name=name, address=name)["id"]
        query = f"SELECT id FROM duplicate_pair WHERE high = '{last}' AND verdict = 'certain'"
        return until(lambda: self._cast.live.query("customer", query).strip())

    @cached_property
    def _override(self) -> dict[str, Any]:
        """A grade that was proposed for a customer of its own."""
        body = {"kind": "retail", "unit": self.unit, "values": Common().new_file}
        file = self._cast.do("customer", "POST", "/v1/customers", "department_manager", ABOVE, json=body)
        path, wish = f"/v1/customers/{file['id']}/grade/overrides", {"grade": "A", "reason": "matrix"}
        wish["expires_on"] = Common().soon
        made: dict[str, Any] = self._cast.do("customer", "POST", path, "department_manager", ABOVE, json=wish)
        return made

    @cached_property
    def simulation(self) -> str:
        """A policy tried out for the unit."""
        body, path = {"version": "2025-01-01", "unit": self.unit, "sample": 1}, "/v1/policies/quarterly/simulate"
        return str(self._cast.do("customer", "POST", path, "department_manager", ABOVE, json=body)["id"])

    @property
    def override(self) -> str:
        return str(self._override["id"])

    @property
    def overridden(self) -> str:
        return str(self._override["customer_id"])

    @property
    def successor(self) -> str:
        """Who can take the bystander's customers over."""
        return name_of(SUCCESSOR, self._place)

    @cached_property
    def handed(self) -> str:
        """A customer of the bystander."""
        return str(self._register(customer_manager=self.bystander)["id"])

    @cached_property
    def handover(self) -> str:
        """A hand-over of another one, called off."""
        customer = self._register(customer_manager=self.bystander)["id"]
        body = {"predecessor": self.bystander, "successor": self.successor, "reason": "leaving"}
        body |= {"customers": [customer]}
        made = self._cast.do("customer", "POST", "/v1/handovers", "department_manager", ABOVE, json=body)
        path = f"/v1/handovers/{made['id']}/cancellation"
        self._cast.do("customer", "POST", path, "department_manager", ABOVE, json={"reason": "other"})
        return str(made["id"])

    @cached_property
    def merge_loser(self) -> str:
        """A customer whom nobody merges."""
        return str(self._register()["id"])

    @cached_property
    def merge(self) -> str:
        """Two files that were merged."""
        files = {name: {"id": self._register()["id"], "version": 1} for name in ("survivor", "loser")}
        made = self._cast.do("customer", "POST", "/v1/merges", "department_manager", ABOVE, json=files)
        return str(made["id"])

    def _register(self, **values: str) -> dict[str, Any]:
        body = {"kind": "retail", "unit": self.unit, "values": {**Common().new_file, **values}}
        file: dict[str, Any] = self._cast.do(
            "customer", "POST", "/v1/customers", "department_manager", ABOVE, json=body
        )
        return file

    @cached_property
    def submission(self) -> str:
        body = {"report": REPORT, "period": PERIOD, "org": self.unit, "rows": loans(2)}
        filed = self._cast.do("reporting", "POST", "/v1/submissions", "report_reviewer", ABOVE, json=body)
        return str(filed["id"])

    @cached_property
    def message(self) -> str:
        """A message in the unit's shared inbox."""
        entry, words = str(uuid4()), json.dumps({"zh": "示例", "en": "Sample"})
        values = f"'{entry}', 'unit/{self.unit}', 'customer/{self.customer}', 'customer.changed'"
        values += f", 'customer.read', '{self.unit}', 'public'"
        columns = "id, recipient, about, event_type, shown_by, unit, secrecy, subject, body, template, delivered_at"
        self._cast.live.query(
            "notify",
            f"INSERT INTO inbox_entry ({columns}) VALUES ({values}, '{words}', '{words}', '{{}}', now())",
        )
        return entry


class OfCaller(OfUnit):
    """The same where the person who is asked about is who asks."""

    def __init__(self, cast: Cast, place: str, role: str) -> None:
        super().__init__(cast, place)
        self._role = role

    @property
    def bystander(self) -> str:
        return name_of(self._role or NOBODY, self._place)
