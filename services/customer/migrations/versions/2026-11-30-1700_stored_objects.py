"""Content of photographs as stored objects, in the database or beside it; thumbnails."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stored_object",
        sa.Column("id", sa.Uuid(), nullable=False, comment="bound into the sealed content"),
        sa.Column("place", sa.Text(), nullable=False, comment="database, or the name of the storage that holds it"),
        sa.Column("content", sa.LargeBinary(), comment="sealed; only of place database"),
        sa.Column(
            "gone",
            sa.Boolean(),
            nullable=False,
            comment="no record names it any more; a job takes it out of its storage",
        ),
        sa.CheckConstraint("(place = 'database') = (content IS NOT NULL)", name="stored_object_place"),
        sa.PrimaryKeyConstraint("id"),
        comment="sealed content of photographs, wherever it lies",
    )
    op.create_index("stored_object_gone", "stored_object", ["id"], postgresql_where=sa.text("gone"))
    op.execute("INSERT INTO stored_object (id, place, content, gone) SELECT id, 'database', sealed, false FROM photo")
    op.add_column(
        "photo",
        sa.Column("content_id", sa.Uuid(), comment="stored object: the clean picture under the subject's key"),
    )
    op.execute("UPDATE photo SET content_id = id")
    op.alter_column("photo", "content_id", nullable=False)
    op.add_column(
        "photo",
        sa.Column(
            "thumbnail_id",
            sa.Uuid(),
            comment="the same for its thumbnail; none of photographs from before there were any",
        ),
    )
    op.drop_column("photo", "sealed")
    op.alter_column("photo", "width", comment="pixels, as it is kept")


def downgrade() -> None:
    """For photographs from before: those taken since are sealed under ids that the older code does not know."""
    op.add_column("photo", sa.Column("sealed", sa.LargeBinary()))
    op.execute("DELETE FROM photo WHERE content_id <> id")
    op.execute("UPDATE photo SET sealed = content FROM stored_object WHERE stored_object.id = content_id")
    op.alter_column(
        "photo", "sealed", nullable=False, comment="the picture under the subject's key; its id is bound in"
    )
    op.alter_column("photo", "width", comment="pixels, as the header of the picture says")
    op.drop_column("photo", "content_id")
    op.drop_column("photo", "thumbnail_id")
    op.drop_table("stored_object")
