"""Every input from the clock."""

from functools import partial

from services.customer.content.service import Objects
from services.customer.credit.service import Terms
from services.customer.credit.standing import Standing
from services.customer.duplicate.indexing import Index
from services.customer.exchange.exporting import Exporting
from services.customer.exchange.importing import Importing
from services.customer.file.keys import Keys
from services.customer.grading.service import LANES, Grading
from services.customer.handover.outstanding import Outstanding
from services.customer.handover.service import Handovers
from services.customer.handover.telling import Telling
from services.customer.override.expiry import Expiry
from services.customer.quality.assessing import Assessing
from services.customer.registration.service import Forms
from services.customer.registration.submission import Submissions
from services.customer.review.standing import Standings
from services.customer.search.index import SearchIndex
from services.customer.simulation.service import Simulations
from shared.jobs import Job


def table(
    keys: Keys,
    grading: Grading,
    standings: Standings,
    forms: Forms,
    submissions: Submissions,
    index: Index,
    searched: SearchIndex,
) -> list[Job]:
    """The jobs of this service; each goes on at once while it finds something to do."""
    return [
        Job("rewrap_keys_due", 60, keys.rewrap_due),
        Job("rewrap_form_keys_due", 60, forms.rewrap_due),
        Job("grades_due", 60, grading.round_due),
        *(Job(f"grades_due_{lane}", 60, partial(grading.round_due, lane=lane)) for lane in range(1, LANES)),
        Job("forms_lapsed_due", 60, submissions.lapse_due),
        Job("reviews_placed", 60, standings.place_due),
        Job("reviews_overdue", 60, standings.overdue_due),
        Job("duplicates_due", 60, index.round_due),
        Job("search_index_due", 60, searched.build_due),
    ]


def upon_grades(expiry: Expiry, simulations: Simulations) -> list[Job]:
    """Those of what stands upon grades."""
    return [
        Job("overrides_due", 60, expiry.expire_due),
        Job("simulations_due", 2, simulations.run_due),
        Job("simulations_over", 3600, simulations.forget_due),
    ]


def of_credit(terms: Terms, standing: Standing) -> list[Job]:
    """Those of credit."""
    return [
        Job("credit_forms_due", 60, terms.lapse_due),
        Job("credit_overdue", 60, standing.overdue_due),
    ]


def of_quality(assessing: Assessing) -> list[Job]:
    """Those of judging files when a day has come, or what is declared has changed."""
    return [
        Job("quality_turned", 60, assessing.turn_due),
        Job("quality_due", 60, assessing.round_due),
    ]


def exchange(importing: Importing, exporting: Exporting) -> list[Job]:
    """The steps of imports and exports; looked for often, for somebody waits."""
    return [
        Job("import_steps", 0.25, importing.step),
        Job("exports_due", 0.25, exporting.step),
        Job("imports_over", 60, importing.end_overdue),
        Job("exports_over", 60, exporting.end_overdue),
    ]


def of_content(objects: Objects) -> list[Job]:
    """Those of stored objects."""
    return [
        Job("objects_removed_due", 10, objects.removed_due),
        Job("objects_orphaned_due", 60, objects.orphans_due),
    ]


def of_handovers(handovers: Handovers, telling: Telling, outstanding: Outstanding) -> list[Job]:
    """Those of hand-overs, and of what leavers have not handed over."""
    return [
        Job("handovers_lapsed_due", 60, handovers.lapse_due),
        Job("handovers_untold_due", 60, telling.missed_due),
        Job("handovers_outstanding_due", 60, outstanding.follow_due),
    ]
