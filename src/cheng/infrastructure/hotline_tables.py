"""The tables of the hotline; `tables` says how they are written."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text

from cheng.infrastructure.tables import Serial, metadata, one_of

articles = Table(
    "articles",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("question", Text, nullable=False),
    Column("question_zh", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answer_zh", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("class_code", Text, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
)
"""Every version of every article; the last one counts. `words`: what callers say, in other words than the question."""

calls = Table(
    "calls",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("agent", Text, nullable=False),
    Column("phone", Text, nullable=False, index=True),
    Column("outcome", Text, nullable=False),
    Column("case", Text, ForeignKey("cases.id"), index=True),
    Column("article", Integer),
    Column("text", Text, nullable=False),
    Column("key", Text, unique=True),
    one_of("outcome", "filed", "followed", "answered", "reached", "missed", "declined"),
    sqlite_autoincrement=True,
)
"""What became of each call: of those that came in, and of those back (reached, missed, declined)."""
