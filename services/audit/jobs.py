"""Every clock input: sign the grown tree several times a second, make the coming months' partitions."""

from datetime import datetime

from services.audit.log import service
from services.audit.settings import AuditSettings
from shared.db import Transaction
from shared.jobs import Job


def table(settings: AuditSettings) -> list[Job]:
    signer = settings.signer

    async def publish(tx: Transaction, at: datetime) -> int:
        await service.publish_checkpoint(tx, signer, at)
        return 0  # never again at once: the rhythm bounds how many checkpoints a busy day keeps

    return [
        Job("checkpoint", settings.checkpoint_every_s, publish),
        Job("partitions", 3600, service.prepare_months),
    ]
