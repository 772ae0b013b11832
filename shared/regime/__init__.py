"""Declared measures: shapes of definitions, and their loading. Knows the forms of measures, never a measure.

`load(path)` gives `Regimes`; ask it for the version in force on a day:
`regimes.catalogue("retail", on=day).items["shop_name"]`, `regimes.grade("retail", on=day).ref`. What a definition
means is decided in one place: grades in customer, validations in reporting, messages in notify, roles in shared.auth.
"""

from shared.regime.approval import Approval, Mode, Step
from shared.regime.attachment import Attachment, Format
from shared.regime.cadence import Cadence, Covers
from shared.regime.calendar import Calendar
from shared.regime.clock import Clock
from shared.regime.codelist import Codelist
from shared.regime.contact import Contact
from shared.regime.credit import Credit, Question
from shared.regime.definition import Definition, Ref, Secrecy, Text, highest
from shared.regime.dictionary import (
    Aggregate,
    Catalogue,
    Dealings,
    Item,
    ItemRule,
    Maintenance,
    Origin,
    SearchBy,
    Total,
    Use,
)
from shared.regime.duplicate import Comparison, DuplicateRules, Form, FormStep, PairExample, Verdict
from shared.regime.field import BadValue, FieldType, Value, ValueField, dump_value, is_unsafe, load_value, read_value
from shared.regime.grade import Band, GradePolicy, Hysteresis, Indicator, Missing, Patience, Rank, Scale
from shared.regime.importance import Importance
from shared.regime.loader import BrokenRegimes, inspect, load
from shared.regime.message import Message, Slot
from shared.regime.quality import Part, QualityPolicy, policy_for
from shared.regime.reading import Problem, as_json, digest_of, restored
from shared.regime.regimes import Regimes
from shared.regime.relation import WHOLE, Party, Relation
from shared.regime.report import Column, Due, Figure, Gathering, MissingFact, Phase, Report, Rule, Severity
from shared.regime.resource import Resource
from shared.regime.role import Grant, Holder, Role, Units

__all__ = [
    "WHOLE",
    "Aggregate",
    "Approval",
    "Attachment",
    "BadValue",
    "Band",
    "BrokenRegimes",
    "Cadence",
    "Calendar",
    "Catalogue",
    "Clock",
    "Codelist",
    "Column",
    "Comparison",
    "Contact",
    "Covers",
    "Credit",
    "Dealings",
    "Definition",
    "Due",
    "DuplicateRules",
    "FieldType",
    "Figure",
    "Form",
    "FormStep",
    "Format",
    "Gathering",
    "GradePolicy",
    "Grant",
    "Holder",
    "Hysteresis",
    "Importance",
    "Indicator",
    "Item",
    "ItemRule",
    "Maintenance",
    "Message",
    "Missing",
    "MissingFact",
    "Mode",
    "Origin",
    "PairExample",
    "Part",
    "Party",
    "Patience",
    "Phase",
    "Problem",
    "QualityPolicy",
    "Question",
    "Rank",
    "Ref",
    "Regimes",
    "Relation",
    "Report",
    "Resource",
    "Role",
    "Rule",
    "Scale",
    "SearchBy",
    "Secrecy",
    "Severity",
    "Slot",
    "Step",
    "Text",
    "Total",
    "Units",
    "Use",
    "Value",
    "ValueField",
    "Verdict",
    "as_json",
    "digest_of",
    "dump_value",
    "highest",
    "inspect",
    "is_unsafe",
    "load",
    "load_value",
    "policy_for",
    "read_value",
    "restored",
]
