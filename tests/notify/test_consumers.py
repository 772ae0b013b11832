"""Which events are listened to follows from the declared messages alone."""

import shutil
from pathlib import Path

import pytest

from services.notify.app import compose
from services.notify.consumers import UnusableMessages, events_of
from shared.events import GradeChanged
from shared.regime import Regimes, load
from tests.factories.notify import REGIMES, settings_of


def declared(tmp_path: Path, old: str, new: str) -> Regimes:
    """The regimes with another text in the one message about grades."""
    regimes = shutil.copytree(REGIMES, tmp_path / "regimes")
    path = regimes / "company" / "message" / "grade-changed.yaml"
    content = path.read_text("utf-8")
    assert old in content
    path.write_text(content.replace(old, new), "utf-8")
    return load(regimes)


def test_the_declared_messages_name_the_events_and_these_the_topics() -> None:
    assert GradeChanged in events_of(load(REGIMES))
    [consumer] = compose(settings_of("postgresql://nowhere", "postgresql://nowhere")).consumers
    assert consumer.group == "notify"
    assert "kehu.customer" in consumer.topics


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("event: customer.grade_changed", "event: customer.sighed", "no event"),
        ("audience: responsible_manager", "audience: everybody", "no audience"),
        ("path: data.before", "path: data.colour", "data.colour"),
        ("event: customer.grade_changed", "event: message.delivered", "may not send"),
    ],
)
def test_a_message_that_cannot_work_stops_the_start(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UnusableMessages, match=told):
        events_of(declared(tmp_path, old, new))


def test_without_messages_nothing_is_consumed() -> None:
    assert events_of(Regimes([])) == []
