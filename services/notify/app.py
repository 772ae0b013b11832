"""Composition root of the notify service: settings become parts, nothing else happens here."""

from pathlib import Path

from services.notify import consumers, jobs
from services.notify.delivery.service import Deliveries
from services.notify.inbox import routes as inbox_routes
from services.notify.settings import NotifySettings
from shared.process import Parts, Service, standard_parts


def compose(settings: NotifySettings) -> Parts:
    parts = standard_parts("notify", settings)
    deliveries = Deliveries(parts.outbox, parts.regimes)
    parts.routers += [inbox_routes.build()]
    parts.consumers += consumers.build(parts, deliveries)
    parts.jobs += jobs.build(deliveries)
    return parts


SERVICE = Service("notify", NotifySettings, compose, Path(__file__).parent / "migrations")
