"""Forms of other sites: refused by every page of the console that takes one, whatever pages there are."""

import itertools

import pytest

from shared.web.site import form_key
from tests.factories.console import RunningConsole
from tests.factories.tables import content

WHATEVER = "00000000-0000-7000-8000-000000000000"
GIVEN = {"customer_id": WHATEVER, "code": "shop_name", "entry_id": WHATEVER}
GIVEN |= {"service": "console", "letter_id": WHATEVER, "verb": "discard"}


@pytest.mark.req("R4.5")
async def test_a_form_without_the_key_of_its_browser_is_refused_and_changes_nothing(alone: RunningConsole) -> None:
    routes = [each for each in alone.parts.app().state.routes if "POST" in each.methods and not each.include_in_schema]
    assert "/sign-out" in {each.path for each in routes}
    await alone.sign_in("admin")
    foreign = form_key("the cookie of somebody else")
    keys: tuple[dict[str, str], ...] = ({}, {"form_key": ""}, {"form_key": foreign}, {"form_key": "名"})
    before = await content(alone.database)
    for route, key in itertools.product(routes, keys):
        answer = await alone.http.post(route.path_format.format_map(GIVEN), data={"value": "x", **key})
        assert answer.status_code == 403, (route.path, key)
        assert "The form is out of date" in answer.text
    assert await content(alone.database) == before
