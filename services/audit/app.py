"""Composition root of the audit service: settings become parts, nothing else happens here."""

from pathlib import Path

from services.audit import consumers, jobs
from services.audit.clients import Values
from services.audit.log import routes as log_routes
from services.audit.settings import AuditSettings
from services.audit.stream import routes as stream_routes
from services.audit.stream.tail import Tail
from shared.auth import OwnToken
from shared.process import Parts, Service, standard_parts


def compose(settings: AuditSettings) -> Parts:
    parts = standard_parts("audit", settings)
    tail = Tail(parts.database, settings.origin)
    values = Values(settings.owners, OwnToken(settings))
    stream = stream_routes.build(parts.database, settings.origin, parts.authenticator, tail, values)
    parts.routers += [log_routes.build(settings.origin), stream]
    parts.consumers += consumers.table(parts, settings)
    parts.jobs += jobs.table(settings)
    parts.on_stop += [tail.close, values.close]
    return parts


SERVICE = Service("audit", AuditSettings, compose, Path(__file__).parent / "migrations")
