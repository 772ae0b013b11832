"""Logs, traces and metrics of every process: JSON lines with trace ids, W3C trace context, Prometheus series.

A trace id exists for each request and event whether or not spans are exported; OpenTelemetry spans are recorded only
when an OTLP endpoint is set. Never put personal values into a log line or a span attribute: ids and item codes only.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from traceback import extract_tb
from typing import Any

import orjson
import structlog
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Gauge, Histogram

_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)
_PROPAGATOR = TraceContextTextMapPropagator()

HTTP_SECONDS = Histogram("kehu_http_seconds", "Time to answer a request", ["service", "method", "route", "status"])
OUTBOX_AGE = Gauge("kehu_outbox_age_seconds", "Age of the oldest event not yet on the bus", ["service"])
OUTBOX_ROWS = Gauge("kehu_outbox_rows", "Events not yet on the bus (exact up to 10,000)", ["service"])
RELAYED = Counter("kehu_relay_events_total", "Events moved from the outbox to the bus", ["service"])
CONSUMED = Counter("kehu_consumer_events_total", "Events consumed", ["group"])
CONSUMER_LAG = Gauge("kehu_consumer_lag", "Events on the bus not yet consumed", ["group", "topic", "partition"])
CONSUMER_FENCED = Counter(
    "kehu_consumer_fenced_total", "Batches dropped since another member owned the partition", ["group"]
)
EVENTS_MISSED = Counter(
    "kehu_consumer_missed_total", "Positions that the bus had dropped before the group read them", ["group"]
)
DEAD_LETTERS = Gauge("kehu_dead_letters", "Events parked as dead letters", ["group"])
EVENT_DELAY = Histogram(
    "kehu_event_delay_seconds",
    "From the event's time to its effect",
    ["group"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)


def configure(service: str, role: str, level: str, otlp_endpoint: str | None) -> None:
    """Set up logging (JSON lines on stderr) and, if an endpoint is given, span export. Once per process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _add_frames,
            structlog.processors.JSONRenderer(serializer=lambda value, **_: orjson.dumps(value, default=str).decode()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, role=role)
    library = logging.StreamHandler(sys.stderr)
    library.setFormatter(_LibraryFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[library])
    if otlp_endpoint:
        _export_spans(service, role, otlp_endpoint)


def _export_spans(service: str, role: str, endpoint: str) -> None:
    """Loaded only where spans are exported: it is a sixth of a service's start."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": f"kehu-{service}", "kehu.role": role}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)
    _Export.tracer = trace.get_tracer("kehu")


class _Export:
    """Whether spans are recorded in this process."""

    tracer: trace.Tracer | None = None


def log(**bound: Any) -> structlog.stdlib.BoundLogger:
    """A logger; give ids, codes and counts as key words, never personal values."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(**bound)
    return logger


def _frames(error: BaseException) -> list[str]:
    """Classes and places of an error and of what caused it; never their texts, which may quote values."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        lines.append(type(seen).__name__)
        lines += [
            f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in extract_tb(seen.__traceback__)[-8:]
        ]
        seen = seen.__cause__ or seen.__context__
    return lines


def _add_frames(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["frames"] = _frames(error)
    return event


class _LibraryFormatter(logging.Formatter):
    """What libraries log, as JSON lines: the template of the message without its arguments."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"event": str(record.msg), "level": record.levelname.lower(), "logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            line["event"] = "library_error"
            line["frames"] = _frames(record.exc_info[1])
        return orjson.dumps(line).decode()


def _add_trace(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    current = _current.get()
    if current is not None:
        event["trace_id"] = current[3:35]
    return event


def current_traceparent() -> str | None:
    """The W3C `traceparent` of the work at hand, to be written into an event or an outgoing request."""
    return _current.get()


@contextmanager
def span(name: str, parent: str | None = None, **attributes: str | int) -> Iterator[None]:
    """Work within a trace: continue `parent` (a W3C traceparent) or the current one, else start a new one."""
    given = parent if parent is not None and _TRACEPARENT.match(parent) else _current.get()
    if _Export.tracer is None:
        token = _current.set(_child_of(given))
        try:
            yield
        finally:
            _current.reset(token)
        return
    context = _PROPAGATOR.extract({"traceparent": given}) if given else None
    with _Export.tracer.start_as_current_span(name, context=context, attributes=dict(attributes)) as recorded:
        ids = recorded.get_span_context()
        token = _current.set(f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}")
        try:
            yield
        finally:
            _current.reset(token)


def _child_of(parent: str | None) -> str:
    random = os.urandom(24).hex()
    if parent is None:
        return f"00-{random[:32]}-{random[32:]}-01"
    return f"{parent[:36]}{random[32:]}{parent[52:]}"
