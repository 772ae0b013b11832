"""Judges what a run left behind: a pure function from evidence to violations.

Owns the promises of the main job as they can be counted afterwards (R0.2, R0.3): an acknowledged change is stored,
audited exactly once, in order and unaltered; the grade follows; its change is told exactly once; nothing is left over.
Called by the reliability tests and by chaos, after the suite was healed and drained; reads nothing by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")

REGISTERED, CHANGED = "customer.registered", "customer.changed"
GRADE_CHANGED, DELIVERED = "customer.grade_changed", "message.delivered"


class Outcome(StrEnum):
    """What a client knows of a change that it asked for."""

    ACKED = "acked"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One wanted change, its repetitions included; `mark` is a value that no other attempt writes.

    `version`: the one that the acknowledgement named.
    """

    mark: str
    customer: str
    outcome: Outcome
    version: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the customer's history: a committed change. `mark` is the value that its attempt wrote, if any."""

    customer: str
    version: int
    event_id: str
    digest: str
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the audit log. `digest` is what the fact says, in the form that its origin's digest has."""

    index: int
    event_id: str
    type: str
    customer: str
    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class GradeChange:
    """A row of the history of grades; `serial` counts from 1 for each customer."""

    customer: str
    serial: int
    before: str | None
    grade: str | None

    @property
    def digest(self) -> str:
        return f"{self.before}>{self.grade}"


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade in force beside the one that follows from the history, computed from scratch."""

    customer: str
    stored: str | None
    recomputed: str | None


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a consumer group has read a partition, and where that partition ends."""

    lane: str
    read: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the checker looks at."""

    attempts: Sequence[Attempt] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
    """Customer -> version, as the file says."""
    changes: Sequence[Change] = ()
    entries: Sequence[Entry] = ()
    log_size: int = 0
    log_faults: Sequence[str] = ()
    """What the verifier of the audit log found."""
    grades: Sequence[Grade] = ()
    grade_changes: Sequence[GradeChange] = ()
    told: Sequence[str] = ()
    """Event id of the cause, for each message in an inbox."""
    queued: int = 0
    outboxes: Mapping[str, int] = field(default_factory=dict)
    parked: Sequence[str] = ()
    """Event ids of dead letters."""
    offsets: Sequence[Offset] = ()
    regressions: Sequence[str] = ()
    """Offsets that went back, as the databases noticed it."""
    published: int = 0
    """Messages on the bus, repetitions included."""
    drain_s: float = 0.0
    drain_limit_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Violation:
    """`kind` groups them: lost, doubled, phantom, altered, disorder, gap, refused_yet_stored, log, grade, left_over,
    regressed, late."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    violations: Sequence[Violation]
    figures: Mapping[str, int | float]

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(each.kind for each in self.violations)

    def __str__(self) -> str:
        lines = [f"  {name:<28}{figure:>10}" for name, figure in self.figures.items()]
        shown = [f"  VIOLATION {each.kind}: {each.detail}" for each in self.violations[:40]]
        more = len(self.violations) - len(shown)
        return "\n".join([*lines, *shown, *([f"  ... and {more} more"] if more else [])])


def judge(evidence: Evidence) -> Verdict:
    """Check every promise; each broken one is named once for each fact that breaks it."""
    found = [violation for check in _CHECKS for violation in check(evidence)]
    return Verdict(found, _figures(evidence, Counter(each.kind for each in found)))


def _acknowledgements(evidence: Evidence) -> Iterator[Violation]:
    """An acknowledged change stands in the history, a refused one does not, and none stands there twice."""
    stored: defaultdict[str, list[Change]] = defaultdict(list)
    for change in evidence.changes:
        if change.mark is not None:
            stored[change.mark].append(change)
    for attempt in evidence.attempts:
        found = stored.get(attempt.mark, [])
        versions = [each.version for each in found if each.customer == attempt.customer]
        if attempt.outcome is Outcome.ACKED and not any(version <= attempt.version for version in versions):
            yield Violation("lost", f"{attempt.mark} was acknowledged at version {attempt.version}, but is not stored")
        if attempt.outcome is Outcome.REFUSED and found:
            yield Violation("refused_yet_stored", f"{attempt.mark} was refused, but is stored")
        if len(found) > 1:
            yield Violation("doubled", f"{attempt.mark} is stored as versions {versions}")


def _versions(evidence: Evidence) -> Iterator[Violation]:
    """The history of a customer runs from 1 to the version of the file, without a gap."""
    history = _by(evidence.changes, lambda each: each.customer)
    for customer in evidence.versions.keys() | history.keys():
        seen = sorted(each.version for each in history.get(customer, []))
        if seen != list(range(1, evidence.versions.get(customer, 0) + 1)):
            yield Violation("gap", f"customer {customer} at {evidence.versions.get(customer)} has versions {seen}")


def _audited(evidence: Evidence) -> Iterator[Violation]:
    """Each committed change is one entry, and each entry of a change was committed."""
    entries = [each for each in evidence.entries if each.type in (REGISTERED, CHANGED)]
    yield from _once(
        "audit entry of change",
        [(each.customer, each.version) for each in evidence.changes],
        [(each.customer, each.sequence) for each in entries],
    )
    stored = {(each.customer, each.version): each for each in evidence.changes}
    for entry in entries:
        change = stored.get((entry.customer, entry.sequence))
        if change is not None and (change.event_id, change.digest) != (entry.event_id, entry.digest):
            yield Violation("altered", f"entry {entry.index} is not the change {change.customer}/{change.version}")


def _order(evidence: Evidence) -> Iterator[Violation]:
    """Entries of one customer stand in the order of their versions; so do the changes of a grade."""
    for kinds in ((REGISTERED, CHANGED), (GRADE_CHANGED,)):
        entries = sorted((each for each in evidence.entries if each.type in kinds), key=lambda each: each.index)
        for customer, appended in _by(entries, lambda each: each.customer).items():
            for left, right in pairwise(appended):
                if right.sequence < left.sequence:
                    detail = f"customer {customer}: {left.sequence} at {left.index}, {right.sequence} at {right.index}"
                    yield Violation("disorder", f"{kinds[-1]} of {detail}")


def _log(evidence: Evidence) -> Iterator[Violation]:
    """The tree verifies, and no event is in the log twice."""
    for fault in evidence.log_faults:
        yield Violation("log", fault)
    for event_id, times in Counter(each.event_id for each in evidence.entries).items():
        if times > 1:
            yield Violation("doubled", f"event {event_id} has {times} entries")


def _grades(evidence: Evidence) -> Iterator[Violation]:
    """Grades equal a computation from scratch, and their history is a chain that ends at them."""
    history = _by(sorted(evidence.grade_changes, key=lambda each: each.serial), lambda each: each.customer)
    for each in evidence.grades:
        if each.stored != each.recomputed:
            detail = f"customer {each.customer} has grade {each.stored}; the file gives {each.recomputed}"
            yield Violation("grade", detail)
        chain = history.get(each.customer, [])
        links = [None, *(link.grade for link in chain)]
        if [link.before for link in chain] != links[:-1] or links[-1] != each.stored:
            yield Violation("grade", f"customer {each.customer}: the changes {links} do not lead to {each.stored}")
        if [link.serial for link in chain] != list(range(1, len(chain) + 1)):
            yield Violation("gap", f"customer {each.customer}: changes of grade {[link.serial for link in chain]}")


def _told(evidence: Evidence) -> Iterator[Violation]:
    """Each change of grade is one entry, one message in an inbox, and one entry that the message stands there."""
    entries = [each for each in evidence.entries if each.type == GRADE_CHANGED]
    yield from _once(
        "audit entry of grade change",
        [(each.customer, each.serial, each.digest) for each in evidence.grade_changes],
        [(each.customer, each.sequence, each.digest) for each in entries],
    )
    yield from _once("message about event", {each.event_id for each in entries}, evidence.told)
    delivered = [each.digest for each in evidence.entries if each.type == DELIVERED]
    yield from _once("audit entry of delivery for event", evidence.told, delivered)


def _left_over(evidence: Evidence) -> Iterator[Violation]:
    """Everything has arrived in time: outboxes empty, partitions read to their ends, nothing parked, no offset back."""
    for service, rows in evidence.outboxes.items():
        if rows:
            yield Violation("left_over", f"{rows} events in the outbox of {service}")
    for offset in evidence.offsets:
        if offset.read != offset.end:
            yield Violation("left_over", f"{offset.lane} is read to {offset.read} of {offset.end}")
    if evidence.queued:
        yield Violation("left_over", f"{evidence.queued} messages are queued")
    for event_id in evidence.parked:
        yield Violation("left_over", f"event {event_id} is a dead letter")
    for lane in evidence.regressions:
        yield Violation("regressed", lane)
    if evidence.drain_s > evidence.drain_limit_s:
        yield Violation("late", f"drained in {evidence.drain_s:.1f} s, allowed are {evidence.drain_limit_s:.0f} s")


_CHECKS: Sequence[Callable[[Evidence], Iterator[Violation]]] = (
    _acknowledgements,
    _versions,
    _audited,
    _order,
    _log,
    _grades,
    _told,
    _left_over,
)


def _once(what: str, wanted: Iterable[Hashable], found: Iterable[Hashable]) -> Iterator[Violation]:
    """Each wanted thing is found once, and nothing else."""
    expected, seen = Counter(wanted), Counter(found)
    for key in expected.keys() | seen.keys():
        if seen[key] < expected[key]:
            yield Violation("lost", f"no {what} {key}")
        elif not expected[key]:
            yield Violation("phantom", f"{what} {key}, which was never committed")
        elif seen[key] > expected[key]:
            yield Violation("doubled", f"{what} {key}, {seen[key]} times")


def _by(things: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    grouped: defaultdict[str, list[T]] = defaultdict(list)
    for each in things:
        grouped[key(each)].append(each)
    return grouped


def _figures(evidence: Evidence, kinds: Counter[str]) -> dict[str, int | float]:
    outcomes = Counter(each.outcome for each in evidence.attempts)
    return {
        **{f"changes {outcome}": outcomes[outcome] for outcome in Outcome},
        "changes committed": len(evidence.changes),
        "audit entries": evidence.log_size,
        "grade changes": len(evidence.grade_changes),
        "messages told": len(evidence.told),
        "lost": kinds["lost"],
        "doubled": kinds["doubled"],
        "delivered twice, absorbed": max(0, evidence.published - evidence.log_size),
        "violations": kinds.total(),
        "drain, seconds": round(evidence.drain_s, 1),
    }
