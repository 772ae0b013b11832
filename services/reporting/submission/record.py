"""What is kept of a judgement: a row of plain values that quotes no data, and the listing, which does. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from services.reporting.submission.filing import Examined
from services.reporting.submission.finding import Group, StageRun, Verdict, counts, verdict
from services.reporting.submission.rules import Judgement


class State(StrEnum):
    """Where a submission stands."""

    FILED = "filed"
    REFUSED = "refused"
    CHECKED = "checked"  # a dry run: nothing is stored


class Listed(NamedTuple):
    """A listed finding: the position of its group, and what it quotes (nothing, if that is withheld)."""

    group: int
    row: int | None
    key: dict[str, str]
    seen: str | None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A submission as one reader may see it: `record` by column name, some findings, where the next ones begin."""

    record: Mapping[str, Any]
    listed: Sequence[Listed]
    next: int | None


def record_of(examined: Examined, judgement: Judgement) -> dict[str, Any]:
    """Columns of a submission that follow from its judgement."""
    found = verdict(judgement.groups)
    return {
        "report": examined.report,
        "period": examined.period,
        "org": examined.org,
        "definition": examined.definition.as_json(),
        "content_sha256": examined.sha256,
        "media": examined.media.value,
        "state": (State.REFUSED if found is Verdict.REJECTED else State.FILED).value,
        "verdict": found.value,
        "row_count": judgement.rows,
        "counts": counts(judgement.groups),
        "groups": [_group(group) for group in judgement.groups],
        "stages": [_stage(stage) for stage in judgement.stages],
    }


def unstored(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a dry run, with all that only storing gives left empty."""
    nothing = dict.fromkeys(("id", "version", "submitted_by", "submitted_at"))
    return {**record, **nothing, "state": State.CHECKED.value}


def listing_of(judgement: Judgement) -> list[Listed]:
    """All listed findings, in the order of phases, rules and rows."""
    return [
        Listed(position, sample.row, dict(sample.key), sample.seen)
        for position, group in enumerate(judgement.groups)
        for sample in group.samples
    ]


def range_of(groups: Sequence[Mapping[str, Any]], rule: str | None) -> tuple[int, int]:
    """Where the listed findings of a rule (of all, without one) begin and end; (0, 0) if there is no such rule."""
    ends, begin, end = 0, None, 0
    for group in groups:
        starts, ends = ends, ends + group["listed"]
        if rule is None or group["rule"] == rule:
            begin, end = starts if begin is None else begin, ends
    return begin or 0, end


def _group(group: Group) -> dict[str, Any]:
    return {
        "rule": group.rule,
        "stage": group.stage.value,
        "severity": group.severity.value,
        "field": group.field,
        "secrecy": group.secrecy.value,
        "expected": group.expected.model_dump(),
        "message": group.message.model_dump(),
        "count": group.count,
        "listed": len(group.samples),
    }


def _stage(stage: StageRun) -> dict[str, Any]:
    return {**asdict(stage), "stage": stage.stage.value, "rules_not_run": list(stage.rules_not_run)}
