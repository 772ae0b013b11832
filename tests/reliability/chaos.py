"""`python -m tests.reliability.chaos --seconds 60 --seed 1 --bus kafka`: break things while clients write, then count.

Heals the suite, waits until nothing is under way, judges, prints a table; exit status 1 on a violation. The same seed
gives the same schedule of faults.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kehu.kafka import LocalKafka
from kehu.postgres import PostgresServer
from kehu.settings import SuiteSettings
from tests.fakes.issuer import Issuer
from tests.reliability.checker import Verdict, judge
from tests.reliability.evidence import collect, drain, opened
from tests.reliability.faults import Chaos, schedule
from tests.reliability.load import Load
from tests.reliability.suite import REPLICATED, Servers, Suite, make_templates


@dataclass(frozen=True, slots=True)
class Report:
    """What was done to the suite, and what came of it."""

    faults: dict[str, int]
    deaths: int
    verdict: Verdict

    def __str__(self) -> str:
        done = [f"  {kind:<28}{times:>10}" for kind, times in sorted(self.faults.items())]
        return "\n".join([*done, f"  {'processes started again':<28}{self.deaths:>10}", str(self.verdict)])


async def run(suite: Suite, seconds: float, seed: int, *, clients: int = 8) -> Report:
    """One chaos run on a suite whose members are ready."""
    async with Load(suite.urls("customer"), suite.servers.issuer, customers=8, seed=seed) as load:
        chaos = Chaos(suite)
        async with load.writing(clients=clients):
            await chaos.run(schedule(seed, seconds, tuple(suite.members), suite.servers.bus))
        await chaos.heal()
        async with opened(suite) as scene:
            verdict = judge(await collect(scene, load.journal, await drain(scene)))
    return Report({str(kind): times for kind, times in chaos.done.items()}, chaos.deaths, verdict)


@contextmanager
def servers(bus: str) -> Iterator[Servers]:
    """Servers that nobody else uses: PostgreSQL with fsync, and a broker of our own for Kafka."""
    directory = Path(tempfile.mkdtemp(prefix="kehu-chaos-"))
    postgres = PostgresServer(directory / "postgres")
    kafka = LocalKafka(directory / "kafka", cache=SuiteSettings().kehu_cache) if bus == "kafka" else None
    try:
        postgres.start()
        make_templates(postgres)
        if kafka is not None:
            kafka.start()
        with Issuer() as issuer:
            yield Servers(postgres, issuer, bus, kafka.bootstrap if kafka else "", kafka)
    finally:
        if kafka is not None:
            kafka.resume()
            kafka.stop()
        postgres.stop()
        shutil.rmtree(directory)


def main() -> None:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bus", choices=("postgres", "kafka"), default="postgres")
    given = parser.parse_args()
    with servers(given.bus) as found, Suite(found, members=REPLICATED) as suite:
        suite.start()
        report = asyncio.run(run(suite, given.seconds, given.seed))
    print(f"Chaos on {given.bus}, {given.seconds:g} s, seed {given.seed}\n{report}")  # noqa: T201 - its purpose
    sys.exit(1 if report.verdict.violations else 0)


if __name__ == "__main__":
    main()
