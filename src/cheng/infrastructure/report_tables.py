"""Tables of what people report, and of the classes that cases are filed by; beside `tables`."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text, true

from cheng.infrastructure.tables import Json, Serial, metadata, one_of

reports = Table(
    "reports",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("case", Text, ForeignKey("cases.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("account", Text, nullable=False, server_default="", index=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("phone", Text, nullable=False, server_default="", index=True),
    Column("email", Text, nullable=False, server_default=""),
    Column("text", Text, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("secret_hash", Text, nullable=False),
    Column("external", Text, nullable=False, server_default=""),
    Column("lang", Text, nullable=False, server_default=""),
    Column("call_back", Boolean, nullable=False, server_default=true()),
    sqlite_autoincrement=True,
)
"""Who told of what a case is about: the first, and those who told it again. `secret_hash`: of the word by which
somebody without an account finds the case again."""

photo_hashes = Table("photo_hashes", metadata, Column("sha256", Text, primary_key=True), Column("hash", BigInteger))
"""What a photo looks like in 64 bits, less 2**63; empty when it cannot be unpacked or shows nothing."""

case_classes = Table(
    "case_classes",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("group_name", Text, nullable=False),
    Column("group_name_zh", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("conditions", Json, nullable=False),
    Column("responsible", Text, nullable=False),
    Column("supervising", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    one_of("kind", "component", "event", "service"),
)
"""Every version of every class; `since` is the day in the city from which it is in force, as 2026-11-20."""

responsibilities = Table(
    "responsibilities",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("flow", Text, nullable=False, index=True),
    Column("prefix", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("departments", Json, nullable=False),
    Column("since", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Who puts right what where. Of the rows of one flow, prefix and area the last one in force counts; one without
departments ends it. `prefix`: beginning of codes of classes, "" all; `area`: id of an area, "" the whole city."""
