"""Tables of what is kept quiet for a while; beside `tables`, of whose making they are."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from cheng.infrastructure.tables import Json, Serial, metadata

shelves = Table(
    "shelves",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("thing", Integer),
    Column("until", BigInteger, nullable=False, index=True),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("ix_shelves_rule_thing", "rule", "thing"),
    sqlite_autoincrement=True,
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", Text, primary_key=True),
    Column("scope", Json, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
)
"""`scope` names what is quiet: any of {"area": …, "thing": …, "rule": …, "type": …}."""
