"""The checker says nothing about a sound run, and names each way in which one can be unsound."""

from dataclasses import replace

import pytest

from tests.reliability.checker import (
    CHANGED,
    DELIVERED,
    GRADE_CHANGED,
    REGISTERED,
    Attempt,
    Change,
    Entry,
    Evidence,
    Grade,
    GradeChange,
    Offset,
    Outcome,
    judge,
)

pytestmark = pytest.mark.req("R0.2")

ENTRIES = (
    Entry(0, "e1", REGISTERED, "c", 1, "d1"),
    Entry(1, "g1", GRADE_CHANGED, "c", 1, "None>D"),
    Entry(2, "e2", CHANGED, "c", 2, "d2"),
    Entry(3, "m1", DELIVERED, "m1", 0, "g1"),
    Entry(4, "e3", CHANGED, "c", 3, "d3"),
)
SOUND = Evidence(
    attempts=(
        Attempt("one", "c", Outcome.ACKED, 1),
        Attempt("two", "c", Outcome.ACKED, 2),
        Attempt("three", "c", Outcome.UNKNOWN),
        Attempt("four", "c", Outcome.REFUSED),
        Attempt("five", "c", Outcome.UNKNOWN),
    ),
    versions={"c": 3},
    changes=(
        Change("c", 1, "e1", "d1", "one"),
        Change("c", 2, "e2", "d2", "two"),
        Change("c", 3, "e3", "d3", "three"),
    ),
    entries=ENTRIES,
    log_size=5,
    grades=(Grade("c", "D", "D"),),
    grade_changes=(GradeChange("c", 1, None, "D"),),
    told=("g1",),
    outboxes={"customer": 0},
    offsets=(Offset("audit t/0", 6, 6),),
    published=6,
    drain_s=1.25,
)


def test_a_sound_run_has_no_violation_and_its_figures_add_up() -> None:
    verdict = judge(SOUND)
    assert verdict.violations == []
    assert verdict.figures == {
        "changes acked": 2,
        "changes refused": 1,
        "changes unknown": 2,
        "changes committed": 3,
        "audit entries": 5,
        "grade changes": 1,
        "messages told": 1,
        "lost": 0,
        "doubled": 0,
        "delivered twice, absorbed": 1,
        "violations": 0,
        "drain, seconds": 1.2,
    }


def _without(index: int) -> tuple[Entry, ...]:
    return tuple(each for each in ENTRIES if each.index != index)


UNSOUND = {
    "an acknowledged change that is not stored": (
        {"attempts": (Attempt("six", "c", Outcome.ACKED, 3),)},
        {"lost"},
    ),
    "an acknowledgement of a version before the change": (
        {"attempts": (Attempt("three", "c", Outcome.ACKED, 2),)},
        {"lost"},
    ),
    "a refused change that is stored": (
        {"attempts": (Attempt("two", "c", Outcome.REFUSED),)},
        {"refused_yet_stored"},
    ),
    "one attempt stored twice": (
        {"changes": (*SOUND.changes[:2], Change("c", 3, "e3", "d3", "two"))},
        {"doubled"},
    ),
    "a version that is missing": (
        {"changes": (SOUND.changes[0], SOUND.changes[2]), "entries": _without(2), "attempts": ()},
        {"gap"},
    ),
    "a file behind its history": ({"versions": {"c": 2}}, {"gap"}),
    "a change that is not audited": ({"entries": _without(2)}, {"lost"}),
    "a change that is audited twice": (
        {"entries": (*ENTRIES, Entry(5, "e4", CHANGED, "c", 3, "d3"))},
        {"doubled", "altered"},
    ),
    "one event in the log twice": ({"entries": (*ENTRIES, replace(ENTRIES[4], index=5))}, {"doubled"}),
    "an entry of a change that was never committed": (
        {"entries": (*ENTRIES, Entry(5, "e9", CHANGED, "c", 9, "d9"))},
        {"phantom"},
    ),
    "a payload that is not the one of the change": (
        {"entries": (*_without(2), replace(ENTRIES[2], digest="other"))},
        {"altered"},
    ),
    "entries against the order of versions": (
        {"entries": (*ENTRIES[:2], replace(ENTRIES[2], index=4), ENTRIES[3], replace(ENTRIES[4], index=2))},
        {"disorder"},
    ),
    "a tree that does not verify": ({"log_faults": ("leaf_changed at 3",)}, {"log"}),
    "a grade that the file does not give": ({"grades": (Grade("c", "D", "A"),)}, {"grade"}),
    "a grade that its history does not lead to": ({"grades": (Grade("c", "A", "A"),)}, {"grade"}),
    "a change of grade that nobody was told": ({"told": ()}, {"lost", "phantom"}),
    "a change of grade told twice": ({"told": ("g1", "g1")}, {"doubled", "lost"}),
    "a message about nothing": ({"told": ("g1", "g7")}, {"phantom", "lost"}),
    "a change of grade that is not audited": ({"entries": _without(1)}, {"lost", "phantom"}),
    "events in an outbox": ({"outboxes": {"customer": 2}}, {"left_over"}),
    "a partition that is not read to its end": ({"offsets": (Offset("audit t/0", 5, 6),)}, {"left_over"}),
    "messages that are queued": ({"queued": 1}, {"left_over"}),
    "a dead letter": ({"parked": ("e2",)}, {"left_over"}),
    "an offset that went back": ({"regressions": ("audit t/0 went from 6 to 2",)}, {"regressed"}),
    "a backlog that took too long": ({"drain_s": 61.0}, {"late"}),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_the_checker_names(name: str) -> None:
    broken, kinds = UNSOUND[name]
    verdict = judge(replace(SOUND, **broken))
    assert verdict.kinds == kinds, str(verdict)
