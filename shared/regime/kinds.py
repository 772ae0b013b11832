"""The registry of kinds: a folder name in `regimes/<measure>/` -> the shape of the files in it.

A new kind is one module with its shape and one line here.
"""

from collections.abc import Mapping

from shared.regime.approval import Approval
from shared.regime.attachment import Attachment
from shared.regime.cadence import Cadence
from shared.regime.calendar import Calendar
from shared.regime.clock import Clock
from shared.regime.codelist import Codelist
from shared.regime.contact import Contact
from shared.regime.credit import Credit
from shared.regime.definition import Definition
from shared.regime.dictionary import Dictionary
from shared.regime.duplicate import DuplicateRules
from shared.regime.grade import GradePolicy
from shared.regime.importance import Importance
from shared.regime.message import Message
from shared.regime.quality import QualityPolicy
from shared.regime.relation import Relation
from shared.regime.report import Report
from shared.regime.resource import Resource
from shared.regime.role import Role

SHAPES: tuple[type[Definition], ...] = (
    Approval,
    Attachment,
    Cadence,
    Calendar,
    Clock,
    Codelist,
    Contact,
    Credit,
    Dictionary,
    DuplicateRules,
    GradePolicy,
    Importance,
    Message,
    QualityPolicy,
    Relation,
    Report,
    Resource,
    Role,
)

KINDS: Mapping[str, type[Definition]] = {shape.kind_name: shape for shape in SHAPES}
