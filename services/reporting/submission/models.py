"""Tables of submissions. Everything that quotes filed data is sealed under the submission's own key."""

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.reporting.tables import METADATA

PAGE = 200
"""Findings of one sealed page."""

submission = Table(
    "submission",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("report", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("org", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="counts the contents filed for this org, report and period"),
    Column("definition", JSONB, nullable=False, comment="id, version and hash of the report as it was judged"),
    Column("content_sha256", LargeBinary, nullable=False, comment="of the body or file as it was sent"),
    Column("media", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("counts", JSONB, nullable=False, comment="findings by severity"),
    Column("groups", JSONB, nullable=False, comment="findings by rule and field: counts and texts, no data"),
    Column("stages", JSONB, nullable=False, comment="which phases ran, and on what"),
    Column("submitted_by", Text, nullable=False),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    Column("kek", Text, comment="key-encryption key; none once the submission's key is destroyed"),
    Column("wrapped", LargeBinary, comment="the submission's data key"),
    Column("figures", LargeBinary, nullable=False, comment="sealed: figures that the next period is compared with"),
    UniqueConstraint("org", "report", "period", "version"),
    Index("submission_by_org", "org", "id"),
    Index("submission_by_kek", "kek", "id"),
    comment="what was filed, and the verdict",
)
Index(
    "submission_once",
    submission.c.org,
    submission.c.report,
    submission.c.period,
    submission.c.content_sha256,
    submission.c.definition["hash"].astext,
    unique=True,
)

content = Table(
    "content",
    METADATA,
    Column("submission_id", ForeignKey("submission.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False, comment="what was sent: compressed, then sealed"),
    comment="submissions as they were sent",
)

finding_page = Table(
    "finding_page",
    METADATA,
    Column("submission_id", ForeignKey("submission.id", ondelete="CASCADE"), primary_key=True),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False, comment=f"up to {PAGE} listed findings"),
    comment="findings in the order of phases and rules",
)
