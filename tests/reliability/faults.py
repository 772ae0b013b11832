"""What goes wrong in a chaos run: a schedule that follows from its seed, and the hand that carries it out.

Faults are those of real life (processes that die or stand still, sessions that end, servers that crash) and dying at
a crash point, since random kills miss narrow windows. Members that died are started again, as the supervisor does.
"""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kehu.failure import SuiteFailed
from shared.crash import POINTS
from tests.reliability.suite import Member, Suite


class Kind(StrEnum):
    KILL = "kill -9"
    CRASH = "die at a crash point"
    PAUSE = "stand still"
    TERMINATE = "end database sessions"
    DATABASE = "crash the database server"
    BROKER_KILL = "kill -9 the broker"
    BROKER_PAUSE = "broker stands still"


_WEIGHTS: Final[Mapping[Kind, int]] = {
    Kind.KILL: 6,
    Kind.CRASH: 6,
    Kind.PAUSE: 4,
    Kind.TERMINATE: 4,
    Kind.DATABASE: 1,
    Kind.BROKER_KILL: 1,
    Kind.BROKER_PAUSE: 1,
}
_BROKER: Final = (Kind.BROKER_KILL, Kind.BROKER_PAUSE)
_GAP_S: Final = (0.4, 2.6)
_PAUSES_S: Final = (0.2, 0.8, 2.0, 8.0)
"""The longest outlasts a lease, so that somebody else takes over meanwhile."""
_LOOK_S: Final = 0.1
_ROLE_POINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "api": ("writer.",),
    "worker": ("relay.", "consumer.", "job."),
}
_TERMINATE: Final = """
SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
  WHERE datname LIKE '%{tag}' AND application_name <> 'kehu-evidence' ORDER BY random() LIMIT 3) AS chosen
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """`at_s` from the start; `target` is a member's name, empty for a server; `detail` is `point:n` of a crash."""

    at_s: float
    kind: Kind
    target: str = ""
    lasts_s: float = 0.0
    detail: str = ""


def schedule(seed: int, seconds: float, members: Sequence[str], bus: str) -> list[Fault]:
    """The faults of a run; the same arguments give the same faults."""
    dice = random.Random(seed)
    kinds = [kind for kind in _WEIGHTS if bus == "kafka" or kind not in _BROKER]
    weights = [_WEIGHTS[kind] for kind in kinds]
    found: list[Fault] = []
    at = dice.uniform(*_GAP_S)
    while at < seconds:
        found.append(_fault(dice, round(at, 2), dice.choices(kinds, weights)[0], members))
        at += dice.uniform(*_GAP_S)
    return found


def _fault(dice: random.Random, at: float, kind: Kind, members: Sequence[str]) -> Fault:
    member = dice.choice(members)
    match kind:
        case Kind.PAUSE:
            return Fault(at, kind, member, dice.choice(_PAUSES_S))
        case Kind.BROKER_KILL | Kind.BROKER_PAUSE:
            return Fault(at, kind, lasts_s=dice.choice((0.5, 2.0)))
        case Kind.CRASH:
            return Fault(at, kind, member, detail=f"{dice.choice(points_of(member))}:{dice.randint(1, 12)}")
        case Kind.KILL:
            return Fault(at, kind, member)
        case _:
            return Fault(at, kind)


def points_of(member: str) -> list[str]:
    """The crash points that a member passes by itself."""
    service, role, *_ = member.split(".")
    prefixes = (*_ROLE_POINTS[role], f"{service}.") if role == "worker" else _ROLE_POINTS[role]
    return [name for name in POINTS if name.startswith(prefixes)]


class Chaos:
    """Carries a schedule out on a running suite; `heal` undoes all of it."""

    def __init__(self, suite: Suite) -> None:
        self.done: Counter[Kind] = Counter()
        self.deaths = 0
        self._suite = suite
        self._armed: dict[str, str] = {}
        self._resuming: set[asyncio.Task[None]] = set()
        self._broker_busy = asyncio.Lock()

    async def run(self, faults: Sequence[Fault]) -> None:
        """Apply each fault in its turn, and start again what dies."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        for fault in faults:
            while loop.time() - started < fault.at_s:
                self._restart()
                await asyncio.sleep(_LOOK_S)
            await self._apply(fault)
            self.done[fault.kind] += 1

    def _restart(self) -> None:
        for name, member in self._suite.members.items():
            if not member.is_running:
                self.deaths += 1
                member.start(crash=self._armed.pop(name, ""))

    async def _apply(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL:
                self._suite.members[fault.target].kill()
            case Kind.CRASH:
                self._armed[fault.target] = fault.detail
                self._suite.members[fault.target].kill()
            case Kind.PAUSE:
                self._later(self._pause(self._suite.members[fault.target], fault.lasts_s))
            case Kind.TERMINATE:
                with suppress(SuiteFailed):  # the server may be in recovery
                    await asyncio.to_thread(
                        self._suite.servers.postgres.execute, _TERMINATE.format(tag=self._suite.tag)
                    )
            case Kind.DATABASE:
                with suppress(SuiteFailed):
                    await asyncio.to_thread(self._suite.servers.postgres.crash)
            case _:
                self._later(self._break_broker(fault))

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._resuming.add(task)
        task.add_done_callback(self._resuming.discard)

    async def _pause(self, member: Member, seconds: float) -> None:
        member.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        member.signal(signal.SIGCONT)

    async def _break_broker(self, fault: Fault) -> None:
        kafka = self._suite.servers.kafka
        assert kafka is not None, "chaos needs a broker of its own"
        async with self._broker_busy:
            if fault.kind is Kind.BROKER_PAUSE:
                kafka.pause()
                await asyncio.sleep(fault.lasts_s)
                kafka.resume()
            else:
                kafka.kill()
                await asyncio.sleep(fault.lasts_s)
                kafka.launch()
                await asyncio.to_thread(kafka.wait_until_ready)

    async def heal(self) -> None:
        """Faults off: what stood still goes on, every member runs, none of them is armed."""
        self._armed.clear()
        await asyncio.gather(*self._resuming)
        for member in self._suite.members.values():
            member.disarm()
        self._suite.launch()
        await asyncio.to_thread(self._suite.await_ready)
