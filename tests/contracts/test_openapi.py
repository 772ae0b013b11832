"""Each service keeps to its OpenAPI document, whatever it is asked: no 5xx, only declared answers in declared form."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.ids import parse_id
from tests.factories.live import Live

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.4")]
WHO = {"customer": "dept", "reporting": "partner1", "audit": "auditor", "notify": "manager1", "identity": "dept"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 4


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as_asked", "not_as_asked"])
@pytest.mark.parametrize("service", WHO)
def test_every_answer_is_one_that_the_document_declares(live: Live, service: str, mode: GenerationMode) -> None:
    document = schemathesis.openapi.from_url(f"{live.urls[service]}/openapi.json")
    customer = str(live.register()["id"]) if service == "customer" else ""
    operations = [each.ok() for each in document.exclude(path="/v1/stream").get_all_operations()]
    tried = 0
    for operation in operations:
        who = "admin" if operation.path.startswith("/v1/dead-letters") else WHO[service]
        tried += _try(operation, mode, {"Authorization": f"Bearer {live.token(who)}"}, customer)
    assert tried >= len(operations) // 2


def _try(operation: APIOperation, mode: GenerationMode, headers: dict[str, str], customer: str) -> bool:
    """Ask generated questions, about a customer that is there if about one at all; False if none can be wrong."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        if parse_id((case.path_parameters or {}).get("customer_id")) and case.method != "DELETE":
            case.path_parameters["customer_id"] = customer
        case.call_and_validate(checks=CHECKS, headers=headers, timeout=20)

    try:
        ask()
    except Unsatisfiable:  # nothing to give, or nothing that could be wrong about it
        assert mode is GenerationMode.NEGATIVE, operation.label
        return False
    return True
