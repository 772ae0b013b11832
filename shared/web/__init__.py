"""The HTTP door: routers whose routes commit before they answer, problem+json, idempotency, health, metrics."""

from shared.web.app import Surface, create_app
from shared.web.door import Later, Router, Tx, idempotency_table
from shared.web.edge import allow_body
from shared.web.pages import Cursor, Limit, Page
from shared.web.problems import problem_responses

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
    "idempotency_table",
    "problem_responses",
]
