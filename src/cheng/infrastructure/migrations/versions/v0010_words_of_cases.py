"""Cases are found by an index of the signs in what they are known by."""

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


def upgrade() -> None:
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
    op.execute("DROP TABLE case_words")
    op.drop_column("cases", "sought")
