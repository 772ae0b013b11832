"""The HTTP door: routers whose routes commit before they answer, problem+json, idempotency, health, metrics."""

from shared.web.app import Surface, create_app
from shared.web.door import Later, Router, Tx
from shared.web.edge import allow_body
from shared.web.idempotency import holds_secret, idempotency_table, shown_once
from shared.web.pages import Cursor, Limit, Page
from shared.web.problems import problem_responses
from shared.web.refusals import record_refusal

__all__ = [
    "Cursor",
    "Later",
    "Limit",
    "Page",
    "Router",
    "Surface",
    "Tx",
    "allow_body",
    "create_app",
    "holds_secret",
    "idempotency_table",
    "problem_responses",
    "record_refusal",
    "shown_once",
]
