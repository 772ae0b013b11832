"""The event bus: one small protocol, two adapters. PostgreSQL log by default, Kafka in production.

A transport appends messages durably and in order per key, and reads a partition from a given position. It keeps no
groups and no offsets: those live in the consumer's own database, next to the effects (docs/decisions/0006).
"""

from shared.bus.transport import (
    Delivery,
    Message,
    Partition,
    Reader,
    Transport,
    Watermark,
    pack_headers,
    unpack_headers,
)

__all__ = [
    "Delivery",
    "Message",
    "Partition",
    "Reader",
    "Transport",
    "Watermark",
    "connect",
    "pack_headers",
    "unpack_headers",
]


def connect(bus: str, url: str, *, partitions: int = 6, replication: int = 1) -> Transport:
    """The transport named by the settings (`postgres` or `kafka`); not yet started."""
    if bus == "kafka":
        from shared.bus.kafka import Kafka  # noqa: PLC0415 - the embedded default never loads aiokafka

        return Kafka(url, partitions=partitions, replication=replication)
    from shared.bus.postgres import PostgresLog  # noqa: PLC0415

    return PostgresLog(url, partitions=partitions)
