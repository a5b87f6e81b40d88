"""The alerts of a thing are found in a table that takes in ten thousand at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alerts_of_things",
        sa.Column("thing", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", SERIAL, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("thing", "number", name=op.f("pk_alerts_of_things")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO alerts_of_things (thing, number) SELECT thing, number FROM alerts WHERE thing IS NOT NULL"
        " AND number <= (SELECT max(number) / 10000 * 10000 FROM alerts) ORDER BY thing, number"
    )
    op.drop_index("ix_alerts_thing_raised", "alerts")


def downgrade() -> None:
    op.create_index("ix_alerts_thing_raised", "alerts", ["thing", "raised"], unique=False)
    op.drop_table("alerts_of_things")
