"""Alembic's entry: all tables of the customer database."""

from services.customer.attachment import models as attachment
from services.customer.contact import models as contact
from services.customer.content import models as content
from services.customer.credit import models as credit
from services.customer.dealings import models as dealings
from services.customer.duplicate import models as duplicate
from services.customer.exchange import models as exchange
from services.customer.file import models as file
from services.customer.grading import models as grading
from services.customer.handover import models as handover
from services.customer.merge import models as merge
from services.customer.override import models as override
from services.customer.photo import models as photo
from services.customer.quality import models as quality
from services.customer.registration import models as registration
from services.customer.relation import models as relation
from services.customer.review import models as review
from services.customer.search import models as search
from services.customer.simulation import models as simulation
from services.customer.tables import METADATA
from shared.migrations import run

assert all(
    module.METADATA is METADATA
    for module in (
        *(attachment, contact, content, credit, dealings, duplicate, exchange, file, grading, handover, merge),
        *(override, photo, quality, registration, relation, review, search, simulation),
    )
)  # imported for their tables

run(METADATA)
