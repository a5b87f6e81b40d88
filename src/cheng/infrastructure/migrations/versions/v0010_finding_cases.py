"""Cases are found by an index of the signs in what they are known by, and by the departments that had them."""

import sqlalchemy as sa
from alembic import op

from cheng.infrastructure import case_words  # as this release writes them; one that does otherwise writes them anew

revision = "0010"
down_revision = "0009"

INDEX = {
    "sqlite": (
        "CREATE VIRTUAL TABLE case_words USING fts5(grams, content='', columnsize=0, detail=none, tokenize='ascii')",
    ),
    "postgresql": (
        "CREATE TABLE case_words (place BIGINT PRIMARY KEY, grams TEXT[] NOT NULL)",
        "CREATE INDEX ix_case_words_grams ON case_words USING gin (grams)",
    ),
}
AT_ONCE = 5000
cases = sa.table(
    "cases", sa.column("number"), sa.column("title_values", sa.JSON), sa.column("data", sa.JSON), sa.column("sought")
)
NEXT = (
    sa.select(cases.c.number, cases.c.title_values, cases.c.data)
    .where(cases.c.number > sa.bindparam("after"))
    .order_by(cases.c.number)
    .limit(AT_ONCE)
)
CHANGE = sa.update(cases).where(cases.c.number == sa.bindparam("of")).values(sought=sa.bindparam("words"))


HAD = (
    'INSERT INTO case_had (department, opened, "case", area) '
    'SELECT DISTINCT r.department, c.opened, r."case", c.area FROM case_runs r JOIN cases c ON c.id = r."case" '
    "WHERE r.department <> ''"
)


def upgrade() -> None:
    op.create_table(
        "case_had",
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case"], ["cases.id"]),
        sa.PrimaryKeyConstraint("department", "opened", "case"),
        sqlite_with_rowid=False,
    )
    op.execute(HAD)
    op.drop_index("ix_case_runs_department_case", "case_runs")
    op.add_column("cases", sa.Column("sought", sa.Text(), server_default="", nullable=False))
    conn = op.get_bind()
    for statement in INDEX[conn.dialect.name]:
        op.execute(statement)
    after = ""
    while rows := conn.execute(NEXT, {"after": after}).all():
        told = [
            (number, case_words.sought(number, values, data.get("text") or ""), data.get("rule") or "")
            for number, values, data in rows
        ]
        conn.execute(CHANGE, [{"of": number, "words": words} for number, words, _ in told])
        case_words.add(conn, told)
        after = rows[-1].number


def downgrade() -> None:
    op.create_index("ix_case_runs_department_case", "case_runs", ["department", "case"], unique=False)
    op.drop_table("case_had")
    op.execute("DROP TABLE case_words")
    op.drop_column("cases", "sought")
