"""The table of what was passed on to other cities; `tables` says how it is written."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from cheng.infrastructure.tables import Json, Serial, metadata, one_of

STATES = ("waiting", "sending", "unsure", "token", "sent", "refused", "over", "withdrawn")

passings = Table(
    "passings",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("case", Text, ForeignKey("cases.id"), nullable=False),
    Column("act", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("city", Text, nullable=False),
    Column("form", Json, nullable=False),
    Column("personal", Boolean, nullable=False),
    Column("photo", Text, nullable=False),
    Column("photo_key", Text, nullable=False, index=True),
    Column("marker", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("next_at", BigInteger),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("sent_at", BigInteger),
    Column("number", Text, nullable=False, server_default=""),
    Column("token", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default=""),
    Column("notes", Text, nullable=False, server_default=""),
    Column("heard_at", BigInteger),
    Column("told", Integer, nullable=False, server_default="0"),
    Column("problem", Json),
    one_of("state", *STATES),
    UniqueConstraint("case", "act"),
    Index("ix_passings_state_next_at", "state", "next_at"),
    sqlite_autoincrement=True,
)
"""What is sent to another city and followed there. `act`: which act of its case that was, `at`: when.

`form`: the fields as they are sent, without key and without anything of who reported it; `personal`: whether that goes
along, read when it is sent. `marker`: by which it is found there again. `looks`: how often it was looked for in vain
after an answer was lost; `tries`: how often in a row nobody answered, or nothing was new; `told`: how many acts its
news have made. `next_at`: when something is to be done about it, if anything is. `problem`: [sentence, blanks]."""
