"""What exists, what it means and what is done about it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from cheng.infrastructure.migrations.triggers import append_only

revision = "0001"
down_revision = None

JSONB = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def things() -> None:
    op.create_table(
        "things",
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="registered", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("properties", JSONB, nullable=False),
        sa.Column("geometry", JSONB, nullable=True),
        sa.Column("areas", JSONB, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('registered', 'active', 'retired', 'unknown')", name=op.f("ck_things_state")),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_things")),
        sa.UniqueConstraint("id", name=op.f("uq_things_id")),
    )
    op.create_index(op.f("ix_things_owner"), "things", ["owner"], unique=False)
    op.create_index(op.f("ix_things_type"), "things", ["type"], unique=False)


def thing_versions() -> None:
    op.create_table(
        "thing_versions",
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("snapshot", JSONB, nullable=False),
        sa.ForeignKeyConstraint(["idx"], ["things.idx"], name=op.f("fk_thing_versions_idx")),
        sa.PrimaryKeyConstraint("idx", "version", name=op.f("pk_thing_versions")),
    )


def attributes() -> None:
    op.create_table(
        "attributes",
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_attributes")),
        sa.UniqueConstraint("type", "name", name=op.f("uq_attributes_type_name")),
    )


def labels() -> None:
    op.create_table(
        "labels",
        sa.Column("attr", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["attr"], ["attributes.idx"], name=op.f("fk_labels_attr")),
        sa.PrimaryKeyConstraint("attr", "code", name=op.f("pk_labels")),
        sa.UniqueConstraint("attr", "text", name=op.f("uq_labels_attr_text")),
    )


def alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
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
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("shelved_until", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("key", name=op.f("uq_alerts_key")),
        sa.UniqueConstraint("number", name=op.f("uq_alerts_number")),
    )
    op.create_index(op.f("ix_alerts_group_id"), "alerts", ["group_id"], unique=False)
    op.create_index(
        "ix_alerts_open",
        "alerts",
        ["raised"],
        unique=False,
        sqlite_where=sa.text("cleared IS NULL AND withdrawn_at IS NULL"),
        postgresql_where=sa.text("cleared IS NULL AND withdrawn_at IS NULL"),
    )
    op.create_index("ix_alerts_rule_raised", "alerts", ["rule", "raised"], unique=False)
    op.create_index("ix_alerts_state_raised", "alerts", ["state", "raised"], unique=False)
    op.create_index("ix_alerts_thing_raised", "alerts", ["thing", "raised"], unique=False)


def alert_notices() -> None:
    op.create_table(
        "alert_notices",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", JSONB, nullable=False),
        sa.CheckConstraint(
            "kind IN ('raised', 'moved', 'withdrawn', 'cleared', 'acknowledged', 'shelved', 'unshelved')",
            name=op.f("ck_alert_notices_kind"),
        ),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_alert_notices_alert")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alert_notices")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alert_notices_alert"), "alert_notices", ["alert"], unique=False)
    op.create_index(op.f("ix_alert_notices_at"), "alert_notices", ["at"], unique=False)


def shelves() -> None:
    op.create_table(
        "shelves",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("thing", sa.Integer(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shelves")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_shelves_rule_thing", "shelves", ["rule", "thing"], unique=False)
    op.create_index(op.f("ix_shelves_until"), "shelves", ["until"], unique=False)


def maintenance() -> None:
    op.create_table(
        "maintenance",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("scope", JSONB, nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    op.create_index(op.f("ix_maintenance_end"), "maintenance", ["end"], unique=False)


def cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("app", sa.Text(), nullable=False),
        sa.Column("title_values", JSONB, nullable=False),
        sa.Column("thing", sa.Integer(), nullable=True),
        sa.Column("thing_id", sa.Text(), nullable=True),
        sa.Column("alert", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("department", sa.Text(), server_default="", nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("reporter", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("step", sa.Text(), server_default="", nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("warn", sa.BigInteger(), nullable=True),
        sa.Column("overall_due", sa.BigInteger(), nullable=True),
        sa.Column("resumes", sa.BigInteger(), nullable=True),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("data", JSONB, nullable=False),
        sa.CheckConstraint("state IN ('open', 'suspended', 'closed', 'void', 'merged')", name=op.f("ck_cases_state")),
        sa.ForeignKeyConstraint(["merged_into"], ["cases.id"], name=op.f("fk_cases_merged_into")),
        sa.ForeignKeyConstraint(["parent"], ["cases.id"], name=op.f("fk_cases_parent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("alert", name=op.f("uq_cases_alert")),
        sa.UniqueConstraint("number", name=op.f("uq_cases_number")),
    )
    op.create_index(op.f("ix_cases_closed"), "cases", ["closed"], unique=False)
    op.create_index("ix_cases_flow_opened", "cases", ["flow", "opened"], unique=False)
    op.create_index(op.f("ix_cases_merged_into"), "cases", ["merged_into"], unique=False)
    op.create_index("ix_cases_state_opened", "cases", ["state", "opened", "id"], unique=False)
    op.create_index(op.f("ix_cases_parent"), "cases", ["parent"], unique=False)
    op.create_index("ix_cases_reporter_opened", "cases", ["reporter", "opened"], unique=False)
    op.create_index("ix_cases_state_assignee_due", "cases", ["state", "assignee", "due", "id", "warn"], unique=False)
    op.create_index(
        "ix_cases_state_department_due", "cases", ["state", "department", "due", "id", "warn"], unique=False
    )
    op.create_index("ix_cases_state_due", "cases", ["state", "due", "id", "warn", "level"], unique=False)
    op.create_index("ix_cases_state_area_due", "cases", ["state", "area", "due", "id", "warn"], unique=False)
    op.create_index("ix_cases_state_flow_due", "cases", ["state", "flow", "due", "id", "warn"], unique=False)
    op.create_index(op.f("ix_cases_thing"), "cases", ["thing"], unique=False)
    op.create_index(op.f("ix_cases_thing_id"), "cases", ["thing_id"], unique=False)


def case_shared() -> None:
    op.create_table(
        "case_shared",
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_case_shared_case")),
        sa.PrimaryKeyConstraint("case", "department", name=op.f("pk_case_shared")),
    )
    op.create_index(op.f("ix_case_shared_department"), "case_shared", ["department"], unique=False)


def case_runs() -> None:
    op.create_table(
        "case_runs",
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.Column("settled", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("left_out", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_case_runs_case")),
        sa.PrimaryKeyConstraint("case", "n", name=op.f("pk_case_runs")),
    )
    op.create_index("ix_case_runs_flow_step_settled", "case_runs", ["flow", "step", "settled"], unique=False)


def acts() -> None:
    op.create_table(
        "acts",
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), server_default="", nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_acts_case")),
        sa.PrimaryKeyConstraint("case", "seq", name=op.f("pk_acts")),
        sa.UniqueConstraint("key", name=op.f("uq_acts_key")),
    )
    op.create_index(op.f("ix_acts_actor"), "acts", ["actor"], unique=False)
    op.create_index(op.f("ix_acts_at"), "acts", ["at"], unique=False)


TABLES = (
    things,
    thing_versions,
    attributes,
    labels,
    alerts,
    alert_notices,
    shelves,
    maintenance,
    cases,
    case_shared,
    case_runs,
    acts,
)


def upgrade() -> None:
    for make in TABLES:
        make()
    append_only("thing_versions", "alert_notices", "acts")


def downgrade() -> None:
    for make in reversed(TABLES):
        op.drop_table(make.__name__)
