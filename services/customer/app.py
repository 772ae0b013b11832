"""Composition root of the customer service: settings become parts, nothing else happens here."""

from pathlib import Path

from services.customer import consumers, jobs
from services.customer.attachment import routes as attachment_routes
from services.customer.attachment.related import RelatedAttachments
from services.customer.attachment.service import Attachments
from services.customer.contact import routes as contact_routes
from services.customer.contact.related import RelatedContacts
from services.customer.contact.service import Contacts
from services.customer.content.bucket import Bucket, Place
from services.customer.content.folder import Folder
from services.customer.content.scanner import Clamd, Scanner, Unscanned
from services.customer.content.service import Objects, Storage
from services.customer.credit import routes as credit_routes
from services.customer.credit.feed import Bills
from services.customer.credit.journal import Journal
from services.customer.credit.related import RelatedCredit
from services.customer.credit.service import Terms
from services.customer.credit.showing import Showing
from services.customer.credit.standing import Standing as CreditStanding
from services.customer.credit.supply import Supply
from services.customer.credit.waiting import WaitingCredit
from services.customer.dealings import routes as dealings_routes
from services.customer.dealings.related import RelatedDealings
from services.customer.dealings.service import Feeds
from services.customer.dealings.totals import Totals
from services.customer.dictionary import routes as dictionary_routes
from services.customer.dictionary.importance import Importances
from services.customer.dictionary.service import Dictionaries
from services.customer.duplicate import routes as duplicate_routes
from services.customer.duplicate.indexing import Index
from services.customer.duplicate.matching import Matching
from services.customer.duplicate.related import RelatedDuplicates
from services.customer.duplicate.service import Duplicates
from services.customer.duplicate.waiting import WaitingPairs
from services.customer.exchange import reading, writing
from services.customer.exchange.exporting import Exporting
from services.customer.exchange.exports import Exports
from services.customer.exchange.grants import NoGrants, Unmarked
from services.customer.exchange.importing import Importing
from services.customer.exchange.imports import Imports
from services.customer.exchange.related import RelatedExports
from services.customer.exchange.routes import exports as export_routes
from services.customer.exchange.routes import imports as import_routes
from services.customer.exchange.standing import Standing
from services.customer.exchange.template import Templates
from services.customer.exchange.vault import Vault
from services.customer.file import routes as file_routes
from services.customer.file.assigning import Assigning
from services.customer.file.bulk import Bulk
from services.customer.file.closing import Closing
from services.customer.file.history import Histories
from services.customer.file.keys import Keys
from services.customer.file.past import Past
from services.customer.file.reads import Reads
from services.customer.file.related import Related
from services.customer.file.service import Files
from services.customer.file.verifying import Verifying
from services.customer.file.waiting import Waiting
from services.customer.grading import routes as grading_routes
from services.customer.grading.archive import Archive
from services.customer.grading.reading import Grades
from services.customer.grading.related import RelatedGrades
from services.customer.grading.reproduction import Reproductions
from services.customer.grading.service import Grading
from services.customer.handover import routes as handover_routes
from services.customer.handover.moving import Moving
from services.customer.handover.outstanding import Outstanding
from services.customer.handover.people import People
from services.customer.handover.related import RelatedHandovers
from services.customer.handover.service import Handovers
from services.customer.handover.telling import Telling
from services.customer.handover.waiting import WaitingHandovers
from services.customer.merge import routes as merge_routes
from services.customer.merge.reading import Merged
from services.customer.merge.related import RelatedMerges
from services.customer.merge.service import Merges
from services.customer.override import routes as override_routes
from services.customer.override.expiry import Expiry
from services.customer.override.related import RelatedOverrides
from services.customer.override.service import Overrides
from services.customer.override.waiting import WaitingOverrides
from services.customer.photo import routes as photo_routes
from services.customer.photo.album import Album
from services.customer.photo.decoder import Decoder
from services.customer.photo.related import RelatedPhotos
from services.customer.photo.service import Photos
from services.customer.quality import routes as quality_routes
from services.customer.quality.assessing import Assessing
from services.customer.quality.reading import Quality
from services.customer.quality.related import RelatedQuality
from services.customer.registration import routes as registration_routes
from services.customer.registration.decision import Decisions
from services.customer.registration.doubles import Doubles
from services.customer.registration.judging import Judging
from services.customer.registration.related import RelatedForms
from services.customer.registration.service import Forms
from services.customer.registration.submission import Submissions
from services.customer.registration.waiting import WaitingForms
from services.customer.relation import routes as relation_routes
from services.customer.relation.related import RelatedRelations
from services.customer.relation.service import Relations
from services.customer.review import routes as review_routes
from services.customer.review.related import RelatedReviews
from services.customer.review.service import Reviews
from services.customer.review.standing import Standings
from services.customer.review.waiting import WaitingReviews
from services.customer.search import routes as search_routes
from services.customer.search.index import SearchIndex
from services.customer.search.service import Searching
from services.customer.settings import CustomerSettings
from services.customer.simulation import routes as simulation_routes
from services.customer.simulation.drafts import Drafts
from services.customer.simulation.service import Simulations
from services.customer.subject import routes as subject_routes
from services.customer.subject.service import Subjects
from services.customer.task import routes as task_routes
from services.customer.task.service import Tasks
from services.customer.timeline import routes as timeline_routes
from services.customer.timeline.service import Timelines
from shared.approvals import Approvers
from shared.aside import Aside
from shared.auth import Follower
from shared.process import Parts, Service, standard_parts
from shared.sealing import KeyRing


def compose(settings: CustomerSettings) -> Parts:
    """All parts of the service."""
    parts = standard_parts("customer", settings)
    ring, related = KeyRing.parse(settings.kek.get_secret_value()), list[Related]()  # who keeps records adds itself
    dictionaries, reads, totals = Dictionaries(parts.regimes), Reads(parts.outbox, parts.regimes), Totals(parts.regimes)
    files = Files(dictionaries, ring, parts.outbox, reads, totals, Album())
    keys, searched = Keys(dictionaries, ring, parts.outbox, related), SearchIndex(dictionaries, ring)
    standings, verifying = Standings(dictionaries, parts.outbox), Verifying(dictionaries, ring, parts.outbox, reads)
    reviews = Reviews(parts.regimes, dictionaries, files, verifying, standings, ring, keys, reads)
    duplicates, index = _duplicates(parts, ring, dictionaries, files, keys, reads, related)
    judging = Judging(dictionaries, Importances(parts.regimes), files, parts.authenticator, Doubles(duplicates))
    forms, approvers = Forms(dictionaries, ring, parts.outbox, reads, judging), Approvers(parts.authenticator)
    submissions = Submissions(forms, judging, approvers, parts.regimes)
    decisions = Decisions(forms, submissions, judging, files, dictionaries, ring, approvers)
    histories, archive = Histories(dictionaries, ring, reads), Archive()
    grading = Grading(parts.regimes, dictionaries, totals, parts.outbox, archive)
    graded = RelatedGrades(grades := Grades(grading, files, dictionaries, totals, reads))
    related += [
        RelatedDealings(), graded, *_relations_and_contacts(parts, dictionaries, ring, files, keys, reads, standings),
        RelatedForms(dictionaries, ring, files, keys, reads), RelatedReviews(ring, keys, reviews), RelatedExports(),
    ]  # fmt: skip
    waiting: list[Waiting] = [WaitingForms(), WaitingReviews(reviews), WaitingPairs()]
    parts.routers += [
        search_routes.build(Searching(dictionaries, searched, reads)),  # before what its path is like, of files
        file_routes.build(files, Past(dictionaries, ring, reads, files, totals, graded), histories, keys, dictionaries),
        dictionary_routes.build(dictionaries),
        dealings_routes.build(Feeds(dictionaries, files, totals, parts.outbox)),
        registration_routes.build(forms, submissions, decisions),
        review_routes.build(reviews),
        grading_routes.build(grades, Reproductions(files, histories, archive, parts.regimes)),
    ]
    _whole_customer(parts, dictionaries, files, histories, related, waiting)
    _exchange(parts, settings, Vault(ring), dictionaries, Bulk(files, dictionaries), totals)
    parts.consumers += consumers.table(parts, grading, standings, index, searched)
    _quality(parts, dictionaries, standings, files, related)
    _content(parts, settings, ring, dictionaries, files, keys, reads, related)
    related.append(_upon_grades(parts, grading, files, keys, ring, totals, approvers, waiting))
    related.append(_credit(parts, files, keys, reads, ring, approvers, waiting))
    related.append(_handovers(parts, Assigning(files, dictionaries), approvers, waiting))
    parts.jobs += jobs.table(keys, grading, standings, forms, submissions, index, searched)
    return parts


def _relations_and_contacts(
    parts: Parts, dictionaries: Dictionaries, ring: KeyRing, files: Files, keys: Keys, reads: Reads,
    standings: Standings,
) -> tuple[Related, Related]:  # fmt: skip
    """Who customers are to each other, and what staff have to do with them; what is related to customers of both."""
    relations = Relations(parts.regimes, ring, parts.outbox, files, keys, reads)
    importances, roster = Importances(parts.regimes), parts.authenticator.roster
    contacts = Contacts(parts.regimes, dictionaries, importances, ring, parts.outbox, keys, reads, standings, roster)
    parts.routers += [relation_routes.build(relations), contact_routes.build(contacts)]
    return RelatedRelations(ring, files, keys, relations), RelatedContacts(ring, files, keys, standings, contacts)


def _whole_customer(
    parts: Parts, dictionaries: Dictionaries, files: Files, histories: Histories, related: list[Related],
    waiting: list[Waiting],
) -> None:  # fmt: skip
    """What is told of a customer, and of what there is to do, out of all that features keep."""
    subjects = Subjects(parts.regimes, dictionaries, parts.outbox, files, histories, related)
    parts.subjects["customer"] = files.subject
    parts.routers += [subject_routes.build(subjects), timeline_routes.build(Timelines(files, histories, related))]
    parts.routers.append(task_routes.build(Tasks(files, waiting)))


def _duplicates(
    parts: Parts, ring: KeyRing, dictionaries: Dictionaries, files: Files, keys: Keys, reads: Reads,
    related: list[Related],
) -> tuple[Duplicates, Index]:  # fmt: skip
    """Finding customers with two files, and making one of them."""
    matching = Matching(parts.regimes, ring)
    duplicates = Duplicates(matching, dictionaries, files, keys, reads, ring, parts.outbox)
    merges = Merges(dictionaries, parts.regimes, files, Closing(ring, parts.outbox), ring, parts.outbox, related)
    related += [RelatedDuplicates(), RelatedMerges()]
    parts.routers += [duplicate_routes.build(duplicates), merge_routes.build(merges, Merged(files, keys, ring))]
    return duplicates, Index(matching, dictionaries, parts.outbox)


def _quality(
    parts: Parts, dictionaries: Dictionaries, standings: Standings, files: Files, related: list[Related]
) -> None:
    """Judging files, and showing what is found."""
    assessing = Assessing(parts.regimes, dictionaries, standings, parts.outbox)
    quality = Quality(assessing, dictionaries, standings, files, parts.authenticator)
    related.append(RelatedQuality(assessing, quality))
    parts.routers.append(quality_routes.build(quality))
    parts.consumers.append(consumers.judge(parts, assessing))
    parts.jobs += jobs.of_quality(assessing)


def _upon_grades(
    parts: Parts, grading: Grading, files: Files, keys: Keys, ring: KeyRing, totals: Totals, approvers: Approvers,
    waiting: list[Waiting],
) -> Related:  # fmt: skip
    """Overrides and simulations; what is related to customers of them."""
    expiry = Expiry(files, grading, parts.outbox)
    overrides = Overrides(files, keys, ring, grading, expiry, approvers, parts.outbox, parts.regimes)
    simulations = Simulations(grading, Drafts(parts.regimes, grading), totals, parts.regimes)
    waiting.append(WaitingOverrides(overrides))
    parts.routers += [override_routes.build(overrides), simulation_routes.build(simulations)]
    parts.jobs += jobs.upon_grades(expiry, simulations)
    return RelatedOverrides(ring, files, keys)


def _handovers(parts: Parts, assigning: Assigning, approvers: Approvers, waiting: list[Waiting]) -> Related:
    """Customers that go from one person to another, and those that leavers left behind."""
    people = People(parts.authenticator)
    handovers = Handovers(assigning, people, approvers, parts.outbox, parts.regimes)
    moving = Moving(handovers, assigning, people, parts.outbox, parts.regimes)
    telling, outstanding = Telling(handovers, parts.outbox, parts.regimes), Outstanding(parts.outbox)
    waiting.append(WaitingHandovers(handovers))
    services = handover_routes.Services(handovers, moving, telling, outstanding)
    parts.routers.append(handover_routes.build(services))
    parts.jobs += jobs.of_handovers(handovers, telling, outstanding)
    return RelatedHandovers()


def _credit(
    parts: Parts, files: Files, keys: Keys, reads: Reads, ring: KeyRing, approvers: Approvers, waiting: list[Waiting]
) -> Related:
    """Credit and supply; what is related to customers of them."""
    journal = Journal(ring, parts.outbox)
    showing, standing = Showing(parts.regimes, journal), CreditStanding(parts.regimes, journal)
    terms = Terms(parts.regimes, files, keys, reads, approvers, journal, showing, standing)
    supply = Supply(files, keys, approvers, journal, showing, standing)
    parts.routers.append(credit_routes.build(terms, supply, Bills(files, standing, journal)))
    parts.jobs += jobs.of_credit(terms, standing)
    waiting.append(WaitingCredit(terms, supply))
    return RelatedCredit(files, keys, reads, journal, showing, standing)


def _exchange(
    parts: Parts, settings: CustomerSettings, vault: Vault, dictionaries: Dictionaries, bulk: Bulk, totals: Totals
) -> None:
    """Imports and exports: their steps are jobs of the worker, the heavy part of them in a process of its own each."""
    regimes, outbox, memory = parts.regimes, parts.outbox, settings.exchange_memory_mib
    reader = Aside(reading.prepare, settings.regimes_path, processes=1, waiting=8, memory_mib=memory)
    writer = Aside(writing.prepare, processes=1, waiting=8, memory_mib=memory)
    standing = Standing(parts.authenticator, directory=settings.authority == "directory")
    imports = Imports(regimes, dictionaries, vault, outbox, standing, reader)
    importing = Importing(imports, dictionaries, bulk, vault, standing, reader)
    exports = Exports(regimes, dictionaries, vault, outbox, standing, NoGrants())
    exporting = Exporting(regimes, exports, dictionaries, bulk, totals, vault, outbox, standing, Unmarked(), writer)
    parts.routers += [import_routes.build(imports, Templates(regimes, dictionaries)), export_routes.build(exports)]
    parts.jobs += jobs.exchange(importing, exporting)
    if parts.roster is not None:
        parts.loops.append(Follower(parts.database, parts.authenticator.roster, parts.roster).run)
    parts.on_stop += [reader.close, writer.close]


def _content(
    parts: Parts, settings: CustomerSettings, ring: KeyRing, dictionaries: Dictionaries, files: Files, keys: Keys,
    reads: Reads, related: list[Related],
) -> None:  # fmt: skip
    """Photographs, attachments, and where they lie: a storage that nothing new goes to is still read and emptied."""
    storages = _storages(settings)
    objects = Objects(storages.pop(settings.storage, None), *storages.values())
    scanner: Scanner = Unscanned()
    if settings.scanner_url is not None:
        scanner = Clamd(settings.scanner_url, settings.scanner_seconds)
    decoder = Decoder(settings.photo_limit_pixels, settings.photo_seconds)
    photos = Photos(dictionaries, ring, parts.outbox, files, keys, reads, objects, scanner, decoder)
    attached = Attachments(parts.regimes, ring, parts.outbox, files, keys, reads, objects, scanner, decoder)
    related += [RelatedPhotos(ring, keys, objects), RelatedAttachments(ring, files, keys, objects, attached.showing)]
    parts.routers += [
        photo_routes.build(photos, settings.photo_limit_bytes),
        attachment_routes.build(attached, settings.attachment_limit_bytes),
    ]
    parts.jobs += jobs.of_content(objects)
    parts.facts.update(scanner=scanner.name, storage=settings.storage)


def _storages(settings: CustomerSettings) -> dict[str, Storage]:
    """Those that are set up, by name; the settings see to it that the chosen one is."""
    storages: dict[str, Storage] = {}
    if settings.storage_folder is not None:
        storages[Folder.name] = Folder(settings.storage_folder)
    if settings.s3_endpoint is not None and settings.s3_secret_key is not None:
        secret = settings.s3_secret_key.get_secret_value()
        place = Place(settings.s3_endpoint, settings.s3_bucket, settings.s3_region, settings.s3_access_key, secret)
        storages[Bucket.name] = Bucket(place, settings.s3_seconds)
    return storages


SERVICE = Service("customer", CustomerSettings, compose, Path(__file__).parent / "migrations")
