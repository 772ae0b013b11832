"""One's messages in one's language, marked as read by a form."""

from collections.abc import Callable
from datetime import UTC, datetime

from services.notify.app import compose
from services.notify.inbox import service
from shared.ids import new_id
from tests.factories import console
from tests.factories.console import RunningConsole
from tests.factories.notify import settings_of
from tests.factories.serving import serve
from tests.fakes.issuer import Issuer


async def test_messages_are_shown_and_marked_as_read(dsn: Callable[[str], str], issuer: Issuer) -> None:
    address = dsn("notify")
    parts = compose(settings_of(address, address, issuer.url))
    message = {
        "id": new_id(),
        "recipient": "staff/customer_manager",
        "about": "customer/01939d5e-0000-7000-8000-000000000000",
        "event_type": "customer.grade_changed",
        "shown_by": "customer.grade.read",
        "unit": "unit-1",
        "manager": "customer_manager",
        "secrecy": "internal",
        "subject": {"zh": "等级变为 B", "en": "The grade is now B"},
        "body": {"zh": "请查看。", "en": "Have a look."},
        "template": {"id": "m", "version": "2025-01-01", "hash": "0"},
        "delivered_at": datetime(2026, 11, 24, 1, tzinfo=UTC),
    }
    async with serve(parts.app()) as url, console.running(dsn("console"), issuer, notify_url=url) as running:
        async with parts.database.transaction() as tx:
            await service.put(tx, [message])
        await running.sign_in("customer_manager")
        assert '<p class="figure">1</p>' in await running.page("/")
        page = await running.page("/inbox")
        assert "The grade is now B" in page
        assert "2026-11-24 09:00:00" in page
        answer = await running.submit("/inbox", f"/inbox/{message['id']}/read", back="/inbox?unread=1")
        assert answer.headers["location"] == "/inbox?unread=1"
        assert "No messages." in await running.page("/inbox?unread=1")
        await running.sign_in("customer_manager", unit="unit-2")
        page = await running.page("/inbox")
        assert "A message whose text you may not see" in page
        assert "The grade is now B" not in page
        await running.sign_in("customer_manager", "zh-CN")
        assert "等级变为 B" in await running.page("/inbox")
        assert "标为已读" not in await running.page("/inbox")


async def test_a_silent_notify_service_is_said_in_words(alone: RunningConsole) -> None:
    await alone.sign_in("customer_manager")
    for path in ("/inbox", "/"):
        assert "The notify service does not answer" in await alone.page(path)
