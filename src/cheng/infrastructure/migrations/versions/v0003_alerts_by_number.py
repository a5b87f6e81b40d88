"""An alert's number is its name in the store, and the line of an ordinary one tells its whole story.

Indexes whose order has nothing to do with time cost a page of the disk for each alert; those that nobody asks are gone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from cheng.infrastructure.migrations.triggers import append_only
from cheng.infrastructure.migrations.versions import v0001_what_exists as before

revision = "0003"
down_revision = "0002"

JSONB = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("cleared IS NULL AND withdrawn_at IS NULL")
GROUPED = sa.text("group_id IS NOT NULL")
KEPT = (
    "number, key, rule, app, thing, thing_id, onset, raised, cleared, level, message_values, area, state, "
    "acknowledged_by, acknowledged_at, shelved_until, withdrawn_at"
)


def alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("number", SERIAL, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("app", sa.Text(), nullable=False),
        sa.Column("thing", sa.Integer(), nullable=True),
        sa.Column("thing_id", sa.Text(), nullable=True),
        sa.Column("onset", sa.BigInteger(), nullable=False),
        sa.Column("raised", sa.BigInteger(), nullable=False),
        sa.Column("cleared", sa.BigInteger(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("message_values", JSONB, nullable=False),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("group_id", SERIAL, nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("shelved_until", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("written", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_alerts")),
        sa.UniqueConstraint("onset", "key", name=op.f("uq_alerts_onset_key")),
    )


def alert_indexes() -> None:
    op.create_index(
        "ix_alerts_group_id", "alerts", ["group_id"], sqlite_where=GROUPED, postgresql_where=GROUPED, unique=False
    )
    op.create_index("ix_alerts_open", "alerts", ["raised"], sqlite_where=OPEN, postgresql_where=OPEN, unique=False)
    op.create_index("ix_alerts_raised", "alerts", ["raised"], unique=False)
    op.create_index("ix_alerts_rule_raised", "alerts", ["rule", "raised"], unique=False)
    op.create_index("ix_alerts_thing_raised", "alerts", ["thing", "raised"], unique=False)


def alert_notices() -> None:
    op.create_table(
        "alert_notices",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("alert", SERIAL, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", JSONB, nullable=False),
        sa.CheckConstraint(
            "kind IN ('raised', 'moved', 'withdrawn', 'cleared', 'acknowledged', 'shelved', 'unshelved')",
            name=op.f("ck_alert_notices_kind"),
        ),
        sa.ForeignKeyConstraint(["alert"], ["alerts.number"], name=op.f("fk_alert_notices_alert")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alert_notices")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alert_notices_alert"), "alert_notices", ["alert"], unique=False)


def put_aside() -> None:
    """The rows without their tables: names of constraints and indexes are free for the tables to come."""
    op.execute("CREATE TABLE was_alerts AS SELECT * FROM alerts")
    op.execute("CREATE TABLE was_notices AS SELECT seq AS said, alert, at, kind, detail FROM alert_notices")
    op.drop_table("alert_notices")
    op.drop_table("alerts")


def forget() -> None:
    op.drop_table("was_notices")
    op.drop_table("was_alerts")


def go_on_counting() -> None:
    """PostgreSQL numbers notices by a sequence, which knows nothing of rows that brought their number along."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "SELECT setval(pg_get_serial_sequence('alert_notices', 'seq'), max(seq)) FROM alert_notices"
            " HAVING max(seq) IS NOT NULL"
        )


def upgrade() -> None:
    put_aside()
    alerts()
    alert_notices()
    op.execute(
        f"INSERT INTO alerts ({KEPT}, group_id) SELECT {KEPT},"  # noqa: S608  # names of columns from above
        " (SELECT number FROM was_alerts AS lead WHERE lead.id = was_alerts.group_id) FROM was_alerts"
    )
    op.execute(
        "INSERT INTO alert_notices (seq, alert, at, kind, detail) SELECT said, number, at, kind, detail"
        " FROM was_notices JOIN was_alerts ON was_alerts.id = was_notices.alert"
    )
    go_on_counting()
    alert_indexes()
    append_only("alert_notices")
    forget()


def downgrade() -> None:
    put_aside()
    before.alerts()
    before.alert_notices()
    op.execute(
        f"INSERT INTO alerts ({KEPT}, id, group_id)"  # noqa: S608  # names of columns from above
        f" SELECT {KEPT}, CAST(number AS TEXT), CAST(group_id AS TEXT) FROM was_alerts"
    )
    op.execute(
        "INSERT INTO alert_notices (seq, alert, at, kind, detail)"
        " SELECT said, CAST(alert AS TEXT), at, kind, detail FROM was_notices"
    )
    go_on_counting()
    for kind, moment, detail in (("raised", "written", "state"), ("cleared", "ended", "time")):
        value = "state" if detail == "state" else "cleared"
        built = {"sqlite": "json_object", "postgresql": "jsonb_build_object"}[op.get_bind().dialect.name]
        op.execute(
            "INSERT INTO alert_notices (alert, at, kind, detail) SELECT CAST(number AS TEXT),"  # noqa: S608  # as above
            f" {moment}, '{kind}', {built}('{detail}', {value}) FROM was_alerts WHERE {moment} IS NOT NULL"
        )
    append_only("alert_notices")
    forget()
