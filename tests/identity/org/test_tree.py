"""Whatever is moved, by how many at once: the tree stays a tree."""

import asyncio
import random

import pytest

from services.identity.org.rules import Unit
from services.identity.org.service import Org
from shared.auth import Principal
from shared.auth.authority import Power, Scope
from shared.clock import now
from shared.db import Database
from shared.errors import KehuError
from shared.outbox import Outbox
from shared.regime import Secrecy, load
from tests.factories.identity import REGIMES

UNITS, MOVES, WRITERS = 12, 40, 4


def administrator() -> Principal:
    power = Power("admin", Scope(everything=True), Secrecy.INTERNAL)
    powers = {"unit.move": (power,)}
    return Principal("root", "staff/root", "u0", ("admin",), powers, 0.0, "")


@pytest.mark.req("R5.5")
@pytest.mark.parametrize("seed", range(5))
async def test_no_moves_ever_make_a_circle(identity_dsn: str, seed: int) -> None:
    chance, org, who = random.Random(seed), Org(Outbox("identity"), load(REGIMES)), administrator()
    database = Database(identity_dsn, pool=WRITERS)
    await database.start()
    names = [f"u{number}" for number in range(UNITS)]
    async with database.transaction() as tx:
        for number, name in enumerate(names):
            parent = chance.choice(names[:number]) if number else None
            await org.add(tx, Unit(name, parent, "team", {"zh": name, "en": name}), "system", now())

    async def move_some() -> None:
        for _ in range(MOVES // WRITERS):
            unit, parent = chance.choice(names), chance.choice([*names, None])
            try:
                async with database.transaction() as tx:
                    version = (await org.known(tx, [unit]))[unit].version
                    await org.move(tx, who, unit, version, parent, now())
            except KehuError as refusal:
                assert refusal.code in {"unit_circle", "changed_meanwhile"}

    await asyncio.gather(*(move_some() for _ in range(WRITERS)))
    async with database.reading() as tx:
        parents = {name: unit.parent for name, unit in (await org.known(tx, names)).items()}
        tops = [name for name, parent in parents.items() if parent is None]
        reached = [each for top in tops for each in await org.below(tx, top)]
    await database.close()
    assert sorted(reached) == sorted(names)
