"""Composition root of the reporting service: settings become parts, nothing else happens here."""

from pathlib import Path

from services.reporting import jobs
from services.reporting.definition import routes as definition_routes
from services.reporting.settings import ReportingSettings
from services.reporting.submission import routes as submission_routes
from services.reporting.submission.filing import Examiner
from services.reporting.submission.judges import Judges
from services.reporting.submission.keys import Keys
from services.reporting.submission.service import Submissions
from services.reporting.submission.vault import Vault
from shared.process import Parts, Service, standard_parts


def compose(settings: ReportingSettings) -> Parts:
    """The parts of the service."""
    parts = standard_parts("reporting", settings)
    judges = Judges(
        settings.regimes_path,
        processes=settings.judges,
        waiting=settings.judge_queue,
        memory_mib=settings.judge_memory_mib,
    )
    vault = Vault(settings.key_ring)
    submissions = Submissions(parts.outbox, vault, judges, Examiner(parts.regimes), parts.regimes)
    parts.routers += [definition_routes.build(parts.regimes), submission_routes.build(submissions)]
    parts.subjects["submission"] = submissions.subject
    parts.jobs += jobs.table(Keys(vault))
    parts.on_stop.append(judges.close)
    return parts


SERVICE = Service("reporting", ReportingSettings, compose, Path(__file__).parent / "migrations")
