"""Doors and explanations agree: over every declared role, action, reach, level and age of a sign-in (R2.2)."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import Request

from shared.auth import GENERAL, Authenticator, Holding, Matter, Principal, Sight, decide, may, within
from shared.clock import now
from shared.errors import KehuError
from shared.regime import Codelist, Resource, Role, Secrecy, load
from shared.regime.role import FIELD_CLASSES
from shared.settings import ServiceSettings

pytestmark = pytest.mark.req("R2.2")
REGIMES = load(Path(__file__).parents[3] / "regimes")
DAY = now().date()
SETTINGS = {"database_url": "postgresql://nowhere", "bus_url": "postgresql://nowhere", "issuer": "http://nowhere"}
AUTHENTICATOR = Authenticator(ServiceSettings.model_validate(SETTINGS), REGIMES)
AUTHORITY = AUTHENTICATOR.authority.on(DAY)
ROLES = REGIMES.all(Role, on=DAY)
ACTIONS = [f"{each.id}.{verb}" for each in REGIMES.all(Resource, on=DAY) for verb in each.actions]
PLACES = [("east", None), ("team", None), ("west", "lu"), ("west", "fang"), (None, None)]
CODES = {"not_allowed": "not_granted", "not_found": "out_of_reach", "sign_in_too_old": "sign_in_too_old"}


def below(unit: str) -> frozenset[str]:
    return frozenset({unit, "team"}) if unit == "east" else frozenset({unit})


def people() -> Iterator[Principal]:
    """The holder of each role, who signed in just now, and one who did so yesterday."""
    moment = now().timestamp()
    for role, ago in product(ROLES, (0, 86_400)):
        powers = AUTHORITY.powers("lu", [Holding(role.id, "east")], below)
        yield Principal("lu", "staff/lu", "east", (role.id,), powers, moment + 900, "token", moment - ago)


async def at_the_doors(who: Principal, action: str, unit: str | None, assignee: str | None) -> Sight | str:
    """What the record's sight is, or the code of the refusal."""
    app = SimpleNamespace(state=SimpleNamespace(authenticator=AUTHENTICATOR))
    request = Request({"type": "http", "app": app, "headers": [], "state": {"principal": who}})
    try:
        await may(action).dependency(request)
        return within(who, action, unit, assignee)
    except KehuError as refusal:
        return refusal.code


async def test_a_door_lets_in_whom_the_explanation_lets_in_and_refuses_for_one_of_its_reasons() -> None:
    asked = 0
    for who, action, (unit, assignee) in product(people(), ACTIONS, PLACES):
        matter = Matter(unit, assignee, is_record=True)
        said = decide(AUTHORITY, who, action, matter, now().timestamp())
        found = await at_the_doors(who, action, unit, assignee)
        assert isinstance(found, Sight) is said.allowed, (who.roles, action, unit, assignee, said)
        if isinstance(found, str):
            too_old = CODES[found] == "sign_in_too_old" and said.code == "out_of_reach"  # the door looks at it first
            assert said.code == CODES[found] or too_old, (who.roles, action, unit, assignee)
        asked += 1
    assert asked == 2 * len(ROLES) * len(ACTIONS) * len(PLACES)


def test_what_is_shown_of_a_record_is_what_the_explanation_says() -> None:
    classes = sorted(REGIMES.get(Codelist, FIELD_CLASSES, on=DAY).codes)
    granted = ((who, action) for who in people() for action in who.powers)
    for (who, action), level, of_class in product(granted, Secrecy, classes):
        sight, matter = who.sight(action, "east"), Matter("east", is_record=True).about(level, of_class)
        said = decide(AUTHORITY, who, action, matter, now().timestamp())
        assert sight.shows(level, of_class) is (said.allowed or said.code == "sign_in_too_old"), (who.roles, action)


@pytest.mark.req("R1.1")
def test_what_of_a_record_somebody_sets_is_what_the_explanation_says() -> None:
    asked = {True: 0, False: 0}
    setting = [name for name in ACTIONS if (rule := AUTHORITY.action(name)) is not None and rule.by_keeper]
    for who, action, level, role in product(people(), setting, Secrecy, ROLES):
        keeper = role.id
        sight, matter = who.sight(action, "east"), Matter("east", is_record=True).about(level, GENERAL, keeper)
        said = decide(AUTHORITY, who, action, matter, now().timestamp())
        assert sight.sets(level, GENERAL, keeper) is said.allowed, (who.roles, action, level, keeper)
        asked[said.allowed] += 1
    assert all(asked.values()), asked
