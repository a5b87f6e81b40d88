"""Cases are found by the small square in which they lie; what a photo looks like is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

FLOOR = {"sqlite": "CAST({} AS INTEGER)", "postgresql": "CAST(floor({}) AS BIGINT)"}


def upgrade() -> None:
    op.add_column("cases", sa.Column("cell", sa.BigInteger(), nullable=True))
    whole = FLOOR[op.get_bind().dialect.name]
    row, column = whole.format("(latitude + 90) * 500"), whole.format("(longitude + 180) * 500")
    there = "abs(latitude) <= 90 AND abs(longitude) <= 180"
    op.execute(f"UPDATE cases SET cell = {row} * 1000000 + {column} WHERE {there}")  # noqa: S608  # words of our own
    op.create_index("ix_cases_cell_opened", "cases", ["cell", "opened"], unique=False)
    op.create_table(
        "photo_hashes",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("hash", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_photo_hashes")),
    )


def downgrade() -> None:
    op.drop_table("photo_hashes")
    op.drop_index("ix_cases_cell_opened", "cases")
    op.drop_column("cases", "cell")
