"""Findings: what is wrong with a submission, counted exactly and listed up to a limit. Pure.

Findings of one rule about one field are one `Group`; a group's `Sample`s quote the data, the group itself does not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.regime import Secrecy, Severity, Text

LISTED = 1_000
"""Findings of one rule and field that are listed; all are counted."""

SEEN_LIMIT = 80


class Stage(StrEnum):
    """Phases in the order in which they run; a later one judges what the earlier ones let through."""

    ENVELOPE = "envelope"
    CELL = "cell"
    ROW = "row"
    TABLE = "table"
    PRIOR_PERIOD = "prior_period"


class Verdict(StrEnum):
    """What becomes of a submission; only the accepted ones count for the periods after."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_QUERIES = "accepted_with_queries"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Sample:
    """One finding: row (from 1; None for the whole table), the row's own key as filed, and what was seen."""

    row: int | None
    key: Mapping[str, str]
    seen: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of one rule about one field; `secrecy` is that of what its samples quote."""

    rule: str
    stage: Stage
    severity: Severity
    field: str | None
    secrecy: Secrecy
    expected: Text
    message: Text
    count: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class StageRun:
    """Whether a phase ran, else why not; rows and rules that it had to leave out since earlier phases had faults."""

    stage: Stage
    ran: bool
    why_not: str | None = None
    rows_left_out: int = 0
    rules_not_run: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """Counts the findings of one rule about one field and keeps the first LISTED of them."""

    count: int = 0
    samples: list[Sample] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether further findings are counted only, so that nobody need describe them."""
        return len(self.samples) >= LISTED

    def add(self, row: int | None, key: Mapping[str, str], seen: str | None) -> None:
        """Count one, and list it while there is room."""
        self.count += 1
        if not self.is_full:
            self.samples.append(Sample(row, key, seen))


def counts(groups: Iterable[Group]) -> dict[str, int]:
    """Findings by severity, every severity named."""
    found = dict.fromkeys((severity.value for severity in Severity), 0)
    for group in groups:
        found[group.severity.value] += group.count
    return found


def verdict(groups: Iterable[Group]) -> Verdict:
    """Anything that cannot be read or blocks means rejected; questions are let in with it."""
    found = counts(groups)
    if found[Severity.REJECT] or found[Severity.ERROR]:
        return Verdict.REJECTED
    return Verdict.ACCEPTED_WITH_QUERIES if found[Severity.QUERY] else Verdict.ACCEPTED


def shown(raw: object) -> str:
    """A raw value, short and safe to print; a finding must not carry a body or break a line."""
    text = raw if isinstance(raw, str) else "" if raw is None else str(raw)
    cut = text if len(text) <= SEEN_LIMIT else text[: SEEN_LIMIT - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)
