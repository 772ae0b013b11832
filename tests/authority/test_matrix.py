"""Who may call what, about whose records: all of it, asked of the running services, and nothing left out.

A new route fails here until `entries/<service>.yaml` says how to call it (README).
"""

import copy
from collections.abc import Callable

import pytest

from services.console.cookies import SESSION_COOKIE
from services.console.visits import OPEN
from shared.web.door import action_of
from shared.web.site import FORM_FIELD, form_key
from tests.authority.asking import Asker
from tests.authority.entry import EVERY_SERVICE, entries
from tests.authority.matrix import Matrix, table
from tests.authority.stage import PLACES
from tests.factories import services
from tests.factories.live import Live

pytestmark = [pytest.mark.slow, pytest.mark.req("R2.2"), pytest.mark.req("R5.5")]
ENTRIES = [(service, name) for service, known in entries().items() for name in known]
HOW = "{0} -> tests/authority/entries/{0.service}.yaml: add `{0.name}:` with a call that harms nobody (see README.md)"
WHATEVER = "00000000-0000-7000-8000-000000000000"


def test_every_closed_route_has_an_entry(matrix: Matrix) -> None:
    missing = [each for each in matrix.operations.values() if matrix.entry_of(each) is None]
    assert not missing, "\n".join(map(HOW.format, missing))


def test_every_entry_is_of_a_route(matrix: Matrix) -> None:
    names = {name for _, name in matrix.operations}
    left_over = [
        f"tests/authority/entries/{service}.yaml: {name}"
        for service, name in ENTRIES
        if (service, name) not in matrix.operations and not (service == EVERY_SERVICE and name in names)
    ]
    assert left_over == []


@pytest.mark.parametrize(("service", "name"), ENTRIES, ids=[".".join(each) for each in ENTRIES])
def test_everybody_gets_what_the_role_data_say(
    matrix: Matrix, asker: Asker, service: str, name: str, record_property: Callable[[str, object], None]
) -> None:
    known = [
        each for each in matrix.operations.values() if each.name == name and service in (EVERY_SERVICE, each.service)
    ]
    cells = [cell for operation in known for cell in matrix.cells(operation)]
    record_property("authority", {"cells": len(cells), "routes": len(known), "roles": len(matrix.roles)})
    wrong = [(cell, seen) for cell in cells if (seen := asker.ask(cell)) != cell.expected]
    assert not wrong, f"{len(wrong)} of {len(cells)} cells are wrong:\n{table(wrong)}"


def test_the_matrix_is_whole(matrix: Matrix) -> None:
    cells = [cell for operation in matrix.operations.values() for cell in matrix.cells(operation)]
    assert len(cells) >= len(matrix.operations) * len(matrix.roles) * len(PLACES)
    assert len({str(cell) for cell in cells}) == len(cells)
    expected = {cell.expected for cell in cells}
    assert {"in", "403 not_allowed", "404 not_found", "401 no_token", "401 sign_in_too_old"} <= expected


def test_each_role_gets_in_somewhere_and_is_refused_somewhere(matrix: Matrix) -> None:
    """But for services of the suite, which ask beside a person only: alone they get in nowhere."""
    cells = [cell for operation in matrix.operations.values() for cell in matrix.cells(operation)]
    seen = {(cell.expected, cell.role) for cell in cells if cell.operation.action != "*"}
    for role in set(matrix.oracle.roles) - {"matrix_own", "matrix_subtree"}:
        assert ("403 not_allowed", role) in seen
        assert ("in", role) in seen or role == "peer_service"
    assert ("in", "peer_service") not in seen
    assert ("403 peers_only", "peer_service") in seen


def test_a_service_that_grants_more_than_the_data_say_is_noticed(matrix: Matrix, asker: Asker) -> None:
    stricter = Matrix(matrix.operations.values(), copy.deepcopy(matrix.oracle))
    (grant,) = (
        each
        for each in stricter.oracle.roles["customer_manager"]["grants"]
        if "read" in each["actions"] and each["resource"] == "customer"
    )
    grant["actions"].remove("read")
    cells = stricter.cells(matrix.operations["customer", "get_customer"])
    wrong = {
        (cell.role, cell.place, cell.record, asker.ask(cell)) for cell in cells if asker.ask(cell) != cell.expected
    }
    assert wrong == {("customer_manager", place, place, "in") for place in PLACES}


def _pages() -> list[tuple[str, str]]:
    """Method and address of the console's closed pages, with something wherever an id belongs."""
    (console,) = (parts for name, parts in services.composed() if name == "console")
    known = {"code": "shop_name", "index": "0", "service": "customer", "verb": "replay"}
    return [
        (method, route.path_format.format_map({**dict.fromkeys(route.param_convertors, WHATEVER), **known}))
        for route in console.app().state.routes
        if not route.include_in_schema and action_of(route) == OPEN
        for method in route.methods
    ]


PAGES = _pages()


@pytest.mark.parametrize(("method", "path"), PAGES, ids=[" ".join(each) for each in PAGES])
def test_a_page_of_the_console_asks_to_sign_in(live: Live, method: str, path: str) -> None:
    nobody, cookie = live.nobody("console"), {"Cookie": f"{SESSION_COOKIE}=made-up"}
    if method == "POST":
        assert nobody.post(path).status_code == 403
        assert nobody.post(path, headers=cookie, data={FORM_FIELD: form_key("made-up")}).status_code == 401
        return
    for answer in (nobody.get(path), nobody.get(path, headers=cookie)):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
