"""Lists of cases find what they are narrowed by in the index they walk along; cases know since when they wait."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

FILTERED = ("step", "flow", "app", "level", "area", "class_code", "source")
BEFORE = {
    "state_opened": ("state", "opened", "id"),
    "state_due": ("state", "due", "id", "warn", "level"),
    "state_department_due": ("state", "department", "due", "id", "warn"),
    **{f"state_{of}_due": ("state", of, "due", "id", "warn") for of in ("area", "flow", "class_code")},
}
AFTER = {
    "state_opened": ("state", "opened", "id", *FILTERED),
    "state_due": ("state", "due", "id", "warn", *FILTERED),
    "state_department_due": ("state", "department", "due", "id", "warn", *FILTERED),
    **{f"{of}_opened": (of, "opened") for of in ("app", "level", "area", "class_code", "source")},
}
WAITING = {
    "sqlite": "json_extract(data, '$.marks.{mark}') = 1",
    "postgresql": "data -> 'marks' ->> '{mark}' = 'true'",
}


def upgrade() -> None:
    for name in BEFORE:
        op.drop_index(f"ix_cases_{name}", "cases")
    op.add_column("cases", sa.Column("waiting", sa.BigInteger(), nullable=True))
    known = WAITING[op.get_bind().dialect.name]
    waits = " OR ".join(known.format(mark=mark) for mark in ("extension", "appeal", "dispute"))
    op.execute(f"UPDATE cases SET waiting = opened WHERE {waits}")  # noqa: S608  # words of our own
    for name, columns in AFTER.items():
        op.create_index(f"ix_cases_{name}", "cases", list(columns), unique=False)
    where = sa.text("waiting IS NOT NULL")
    op.create_index("ix_cases_waiting", "cases", ["waiting"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_case_runs_department_case", "case_runs", ["department", "case"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_case_runs_department_case", "case_runs")
    op.drop_index("ix_cases_waiting", "cases")
    for name in AFTER:
        op.drop_index(f"ix_cases_{name}", "cases")
    op.drop_column("cases", "waiting")
    for name, columns in BEFORE.items():
        op.create_index(f"ix_cases_{name}", "cases", list(columns), unique=False)
