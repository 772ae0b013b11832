"""Every input from the clock."""

from services.notify.delivery.service import Deliveries
from shared.jobs import Job


def build(deliveries: Deliveries) -> list[Job]:
    return [Job("deliver", 0.25, deliveries.deliver_due)]
