"""Composition root of the customer service: settings become parts, nothing else happens here."""

from pathlib import Path

from services.customer import consumers, jobs
from services.customer.dealings import routes as dealings_routes
from services.customer.dealings.service import Feeds
from services.customer.dealings.totals import Totals
from services.customer.dictionary import routes as dictionary_routes
from services.customer.dictionary.service import Dictionaries
from services.customer.file import routes as file_routes
from services.customer.file.history import Histories
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.related import Related
from services.customer.file.service import Files
from services.customer.grading import routes as grading_routes
from services.customer.grading.reading import Grades
from services.customer.grading.service import Grading
from services.customer.photo import routes as photo_routes
from services.customer.photo.album import Album
from services.customer.photo.service import Photos
from services.customer.settings import CustomerSettings
from shared.process import Parts, Service, standard_parts
from shared.sealing import KeyRing


def compose(settings: CustomerSettings) -> Parts:
    """All parts of the service."""
    parts = standard_parts("customer", settings)
    ring = KeyRing.parse(settings.kek.get_secret_value())
    dictionaries, reads, totals = Dictionaries(parts.regimes), Reads(parts.outbox, parts.regimes), Totals(parts.regimes)
    album = Album()
    files = Files(dictionaries, ring, parts.outbox, reads, totals, album)
    histories = Histories(dictionaries, ring, reads)
    related: list[Related] = []  # each feature that keeps records of customers adds itself
    keys = Keys(dictionaries, ring, parts.outbox, album, related)
    photos = Photos(dictionaries, ring, files, keys, reads)
    feeds = Feeds(dictionaries, files, totals, parts.outbox)
    grading = Grading(parts.regimes, dictionaries, totals, parts.outbox)
    grades = Grades(grading, files, dictionaries, totals, reads)
    parts.routers += [
        file_routes.build(files, histories, keys),
        dictionary_routes.build(dictionaries),
        photo_routes.build(photos, settings.photo_limit_bytes),
        dealings_routes.build(feeds),
        grading_routes.build(grades),
    ]
    parts.subjects["customer"] = files.subject
    parts.consumers += consumers.table(parts, grading)
    parts.jobs += jobs.table(keys, grading)
    return parts


SERVICE = Service("customer", CustomerSettings, compose, Path(__file__).parent / "migrations")
