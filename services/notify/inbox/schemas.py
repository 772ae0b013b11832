"""The inbox over HTTP."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Wording(BaseModel):
    zh: str
    en: str


class Template(BaseModel):
    """Which text of which declared message was used."""

    id: str
    version: str
    hash: str


class InboxEntry(BaseModel):
    """A message to the caller or to their unit. `read_at`: when the caller read it.

    `subject` and `body` are withheld (null) from a reader who may not see, where the record in `about` belongs, what
    they tell of it, or is not cleared for `secrecy` there.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01939d5e-7a3c-7b21-9c55-0f6b5d3a8e10",
                "recipient": "staff/manager1",
                "about": "customer/01939d5e-0000-7000-8000-000000000000",
                "event_type": "customer.grade_changed",
                "secrecy": "internal",
                "withheld": False,
                "subject": {"zh": "客户等级变为B", "en": "The grade is now B"},
                "body": {"zh": "…", "en": "…"},
                "template": {"id": "company/message/example", "version": "2025-01-01", "hash": "9f2c…"},
                "delivered_at": "2026-11-24T09:00:00Z",
                "read_at": None,
            }
        }
    )

    id: UUID
    recipient: str
    about: str
    event_type: str
    secrecy: str
    withheld: bool
    subject: Wording | None
    body: Wording | None
    template: Template
    delivered_at: datetime
    read_at: datetime | None
