"""Runs a service: `python -m services.<name> api | worker | migrate`. The same three verbs everywhere.

A service describes itself as a `Service`; its `compose` turns settings into `Parts`. The api serves HTTP; the worker
runs the relay, the consumers and the jobs, and serves health and metrics on a port of its own; migrate brings the
database up.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Generic, TypeVar

import uvicorn
import uvloop
from fastapi import APIRouter, FastAPI

from shared import telemetry, upkeep
from shared.auth import EFFECTS, Authenticator, Follower, Roster, forget_ended
from shared.bus import Transport, connect
from shared.db import Database, is_passing
from shared.events import PRODUCERS, topic_of
from shared.inbox import Consumer, dispatch
from shared.jobs import Job
from shared.outbox import Outbox, Relay
from shared.regime import Regimes, load
from shared.settings import ServiceSettings
from shared.settings import load as load_settings
from shared.web import Surface, create_app, decisions, operations

VERBS = ("api", "worker", "migrate")
_FORGET_S = 3600

S = TypeVar("S", bound=ServiceSettings)
Loop = Callable[[asyncio.Event], Awaitable[None]]


@dataclass
class Parts:
    """What a service is made of; `compose` fills in routers, consumers, jobs and loops."""

    name: str
    settings: ServiceSettings
    database: Database
    transport: Transport
    outbox: Outbox
    regimes: Regimes
    authenticator: Authenticator
    routers: list[APIRouter] = field(default_factory=list)
    subjects: dict[str, decisions.Look] = field(default_factory=dict)
    """What authority can be explained about, by kind."""
    consumers: list[Consumer] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    """What /readyz says beside what is usable: how this service is set up."""
    roster: Consumer | None = None
    """Keeps this service's copy of the directory."""
    jobs: list[Job] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    on_start: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What the api does before it serves; the worker does not."""
    on_stop: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    @property
    def surface(self) -> Surface:
        """The part that an HTTP application needs."""
        return Surface(
            self.name, self.settings, self.database, self.transport, self.outbox, self.authenticator, self.facts
        )

    def app(self) -> FastAPI:
        """The service's HTTP application, dead-letter routes included."""
        letters = operations.build(self.database, self.outbox, {each.group: each.handle for each in self.groups})
        explained = decisions.build(self.authenticator, self.subjects)
        return create_app(
            self.surface, [*self.routers, letters, explained], on_start=self.on_start, on_stop=self.on_stop
        )

    @property
    def groups(self) -> list[Consumer]:
        """All consumers, the roster's among them."""
        return [*self.consumers, *([self.roster] if self.roster is not None else [])]

    def topics(self, *producers: str) -> tuple[str, ...]:
        """Topic names of some producers; of all, if none is named."""
        return tuple(topic_of(self.settings.topic_prefix, producer) for producer in producers or PRODUCERS)


def standard_parts(name: str, settings: ServiceSettings) -> Parts:
    """The parts that every service has, the roster with its consumer among them."""
    regimes = load(settings.regimes_path)
    url = settings.bus_url.get_secret_value()
    roster = Roster()
    parts = Parts(
        name=name,
        settings=settings,
        database=Database(
            settings.database_url.get_secret_value(), pool=settings.database_pool, application=f"kehu-{name}"
        ),
        transport=connect(settings.bus, url, partitions=settings.bus_partitions, replication=settings.bus_replication),
        outbox=Outbox(name, prefix=settings.topic_prefix),
        regimes=regimes,
        authenticator=Authenticator(settings, regimes, roster=roster),
    )
    if settings.authority == "directory":
        group = f"{name}-roster"
        handle, topics = dispatch(group, EFFECTS), parts.topics("identity")
        parts.roster = Consumer(group, topics, handle, database=parts.database, transport=parts.transport)
        follower = Follower(parts.database, roster, parts.roster)
        parts.on_start.append(follower.start)
        parts.on_stop.append(follower.stop)
    return parts


@dataclass(frozen=True)
class Service(Generic[S]):
    """A service as the command line knows it."""

    name: str
    settings: type[S]
    compose: Callable[[S], Parts]
    migrations: Path


def main(service: Service[S], arguments: Sequence[str] | None = None) -> None:
    """The entry of each `services/<name>/__main__.py`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 1 or given[0] not in VERBS:
        sys.exit(f"usage: python -m services.{service.name} {' | '.join(VERBS)}")
    settings = load_settings(service.settings)
    telemetry.configure(service.name, given[0], settings.log_level, settings.otlp_endpoint)
    if given[0] == "migrate":
        from shared.migrations import upgrade  # noqa: PLC0415 - alembic is a quarter of the start of api and worker

        upgrade(service.migrations, settings.database_url.get_secret_value())
        return
    parts = service.compose(settings)
    calm_collector()
    uvloop.run(_serve_api(parts) if given[0] == "api" else _work(parts))


def calm_collector() -> None:
    """Look for garbage cycles seldom, and never among what lives as long as the process: batches make many tuples."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class _Server(uvicorn.Server):
    """Ends with exit code 0 when a signal asked it to: an orderly end is no failure to whoever started the process."""

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def _server(app: FastAPI, host: str, port: int) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # shared.auth.address_of reads them, from trusted proxies only
        http="httptools",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=75,
    )
    return _Server(config)


async def _serve_api(parts: Parts) -> None:
    await _server(parts.app(), parts.settings.host, parts.settings.port).serve()


async def _work(parts: Parts) -> None:
    """Run everything that is not HTTP, beside a small server for health and metrics, until a signal ends that server.

    A loop that ends by an error ends the process; the supervisor starts it again.
    """
    stop = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    async def begin() -> None:
        tasks.extend(asyncio.create_task(_watched(loop, server)(stop)) for loop in _loops(parts))

    async def end() -> None:
        stop.set()
        _, late = await asyncio.wait(tasks, timeout=10)
        for task in late:
            task.cancel()

    surface = replace(parts.surface, authenticator=None)  # nobody signs in to a worker
    app = create_app(surface, [], on_start=[begin], on_stop=[end, *parts.on_stop])
    server = _server(app, parts.settings.host, parts.settings.worker_port)
    await server.serve()
    if any(task.done() and not task.cancelled() and task.exception() is not None for task in tasks):
        raise SystemExit(1)


def _loops(parts: Parts) -> list[Loop]:
    relay = Relay(parts.name, parts.database, parts.transport)
    kept = [Job("forget-ended-sign-ins", _FORGET_S, forget_ended)] if parts.roster is not None else []
    return [
        partial(_ensure_topics, parts),
        relay.run,
        *(consumer.run for consumer in parts.groups),
        *(partial(job.run, parts.database) for job in (*parts.jobs, *kept)),
        *parts.loops,
        partial(upkeep.observe, relay, parts.groups),
        partial(upkeep.tidy, parts.database, parts.transport, [consumer.group for consumer in parts.groups]),
    ]


def _watched(loop: Loop, server: uvicorn.Server) -> Callable[[asyncio.Event], Coroutine[None, None, None]]:
    async def watched(stop: asyncio.Event) -> None:
        try:
            await loop(stop)
        except Exception as error:
            telemetry.log(part="worker").error("loop_failed", error=type(error).__name__, exc_info=error)
            server.should_exit = True
            raise
        except asyncio.CancelledError as error:
            if stop.is_set():
                raise
            server.should_exit = True
            raise RuntimeError("a loop was cancelled by something that it called") from error

    return watched


async def _ensure_topics(parts: Parts, stop: asyncio.Event) -> None:
    """Create this service's topic as soon as the bus is there."""
    while not stop.is_set():
        try:
            await parts.transport.ensure_topics([parts.outbox.topic])
        except Exception as error:
            if not is_passing(error):
                raise
            await _rest(stop, 1.0)
        else:
            return


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
