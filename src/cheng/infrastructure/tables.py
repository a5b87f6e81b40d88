"""Every table of the store, on SQLite and PostgreSQL alike.

Times are BIGINT microseconds UTC. JSON is JSON text on SQLite and JSONB on PostgreSQL, but for the audit, whose
text has to come back letter for letter. Rows of APPEND_ONLY tables can be added and read, nothing else: triggers
in the database refuse the rest, whoever asks. A change here needs a new file in `migrations/versions`.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Serial = BigInteger().with_variant(Integer(), "sqlite")
OPEN, GROUPED = text("cleared IS NULL AND withdrawn_at IS NULL"), text("group_id IS NOT NULL")
APPEND_ONLY = ("acts", "audit", "thing_versions", "alert_notices", "case_classes", "responsibilities", "articles")


def one_of(column: str, *words: str) -> CheckConstraint:
    """The column holds one of these words."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(word) for word in words)})", name=column)


# -- what exists

things = Table(
    "things",
    metadata,
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False, index=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False, server_default="registered"),
    Column("owner", Text, nullable=False, server_default="", index=True),
    Column("properties", Json, nullable=False),
    Column("geometry", Json),
    Column("areas", Json, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("changed", BigInteger, nullable=False),
    one_of("state", "registered", "active", "retired", "unknown"),
)

thing_versions = Table(
    "thing_versions",
    metadata,
    Column("idx", Integer, ForeignKey("things.idx"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("snapshot", Json, nullable=False),
)

attributes = Table(
    "attributes",
    metadata,
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("type", "name"),
)

labels = Table(
    "labels",
    metadata,
    Column("attr", Integer, ForeignKey("attributes.idx"), primary_key=True),
    Column("code", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("attr", "text"),
)

# -- what it means

alerts = Table(
    "alerts",
    metadata,
    Column("number", Serial, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("thing", Integer),
    Column("thing_id", Text),
    Column("onset", BigInteger, nullable=False),
    Column("raised", BigInteger, nullable=False),
    Column("cleared", BigInteger),
    Column("level", Text, nullable=False),
    Column("message_values", Json, nullable=False),
    Column("area", Text),
    Column("state", Text, nullable=False),
    Column("group_id", Serial),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", BigInteger),
    Column("shelved_until", BigInteger),
    Column("withdrawn_at", BigInteger),
    Column("written", BigInteger),
    Column("ended", BigInteger),
    UniqueConstraint("onset", "key"),
    Index("ix_alerts_raised", "raised"),
    Index("ix_alerts_rule_raised", "rule", "raised"),
    Index("ix_alerts_group_id", "group_id", sqlite_where=GROUPED, postgresql_where=GROUPED),
    Index("ix_alerts_open", "raised", sqlite_where=OPEN, postgresql_where=OPEN),
)
"""`number` comes from `next_numbers(conn, "alerts")`; `key` is rule|thing|onset and makes an alert fire once: look it
up with its onset, so that the index grows at its end; by thing see `alert_things`. `group_id`: the number of the alert
it joined. `written`, `ended`: when the hub wrote down that it was raised and over; empty when its notices tell that."""

alert_notices = Table(
    "alert_notices",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("alert", Serial, ForeignKey("alerts.number"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detail", Json, nullable=False),
    one_of("kind", "raised", "moved", "withdrawn", "cleared", "acknowledged", "shelved", "unshelved"),
    sqlite_autoincrement=True,
)
"""What was said about an alert to which more happened than that it was raised and cleared: then all of it."""

# -- what we do about it

FILTERED = ("step", "flow", "app", "level", "area", "class_code", "source")
"""What lists are narrowed by: in the index along which they walk, so that what does not match costs next to nothing."""
ONCE = ("flow", "app", "level", "area", "class_code", "source")
"""What hardly changes once a case is opened: an index costs little, and finds the few with a rare value."""
WAITS = text("waiting IS NOT NULL")
cases = Table(
    "cases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("flow", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("title_values", Json, nullable=False),
    Column("thing", Integer, index=True),
    Column("thing_id", Text, index=True),
    Column("alert", Text, unique=True),
    Column("area", Text),
    Column("longitude", Float),
    Column("latitude", Float),
    Column("cell", BigInteger),
    Column("department", Text, nullable=False, server_default=""),
    Column("assignee", Text),
    Column("reporter", Text),
    Column("level", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False, server_default="open"),
    Column("step", Text, nullable=False, server_default=""),
    Column("opened", BigInteger, nullable=False),
    Column("due", BigInteger),
    Column("warn", BigInteger),
    Column("overall_due", BigInteger),
    Column("resumes", BigInteger),
    Column("closed", BigInteger, index=True),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("parent", Text, ForeignKey("cases.id"), index=True),
    Column("merged_into", Text, ForeignKey("cases.id"), index=True),
    Column("class_code", Text, nullable=False, server_default=""),
    Column("source", Text, nullable=False, server_default=""),
    Column("weight", Integer, nullable=False, server_default="1"),
    Column("waiting", BigInteger),
    Column("sought", Text, nullable=False, server_default=""),
    Column("data", Json, nullable=False),
    one_of("state", "open", "suspended", "closed", "void", "merged"),
    Index("ix_cases_state_opened", "state", "opened", "id", *FILTERED),
    Index("ix_cases_state_due", "state", "due", "id", "warn", *FILTERED),
    Index("ix_cases_state_department_due", "state", "department", "due", "id", "warn", *FILTERED),
    Index("ix_cases_state_assignee_due", "state", "assignee", "due", "id", "warn"),
    *(Index(f"ix_cases_{of}_opened", of, "opened") for of in ONCE),
    Index("ix_cases_waiting", "waiting", sqlite_where=WAITS, postgresql_where=WAITS),
    Index("ix_cases_reporter_opened", "reporter", "opened"),
    Index("ix_cases_cell_opened", "cell", "opened"),
)
"""`number` comes from `next_numbers(conn, "cases/20261120")`; `due` is the next limit, `warn` when it turns yellow.
`weight`: how many reports; `waiting`: since when somebody is to decide; `cell`: see `cells`; `sought`: `case_words`."""

case_shared = Table(
    "case_shared",
    metadata,
    Column("case", Text, ForeignKey("cases.id"), primary_key=True),
    Column("department", Text, primary_key=True, index=True),
)
"""Cases offered to several departments at once, for all but the first one, until one of them takes it."""

case_had = Table(
    "case_had",
    metadata,
    Column("department", Text, primary_key=True),
    Column("opened", BigInteger, primary_key=True, autoincrement=False),
    Column("case", Text, ForeignKey("cases.id"), primary_key=True),
    Column("area", Text),
    sqlite_with_rowid=False,
)
"""Which departments had a case at any time."""

case_runs = Table(
    "case_runs",
    metadata,
    Column("case", Text, ForeignKey("cases.id"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("flow", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("area", Text),
    Column("started", BigInteger, nullable=False),
    Column("due", BigInteger),
    Column("done", BigInteger),
    Column("settled", BigInteger),
    Column("outcome", Text, nullable=False),
    Column("left_out", Text, nullable=False, server_default=""),
    Index("ix_case_runs_flow_step_settled", "flow", "step", "settled"),
)
"""Each pass of a case through a step from `n` 1, the whole case as `n` 0 and step "": what indicators count.
`settled`: done or due, whichever came first. `left_out`: why statistics leave it out ("appeal", "void", "merged",
"moved", "passed")."""

acts = Table(
    "acts",
    metadata,
    Column("case", Text, ForeignKey("cases.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("actor", Text, nullable=False, index=True),
    Column("actor_name", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("step", Text, nullable=False, server_default=""),
    Column("data", Json, nullable=False),
    Column("key", Text, unique=True),
)

# -- who may do what

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("roles", Json, nullable=False),
    Column("department", Text, nullable=False, server_default="", index=True),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("must_change", Boolean, nullable=False, server_default=text("false")),
    Column("created", BigInteger, nullable=False),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("locked_until", BigInteger, nullable=False, server_default="0"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
    Column("absolute", BigInteger, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
)
"""`expires` moves with use (idle limit) and never passes `absolute`."""

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("scope", Json, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("last_seen", BigInteger),
    Column("revoked", BigInteger),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("object", Text, nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("detail", JSON(none_as_null=True), nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    one_of("outcome", "allowed", "refused", "failed"),
    Index("ix_audit_actor_at", "actor", "at"),
)
"""`seq` counts from 1 without a gap: a missing number is a missing row."""

# -- what came and what runs

refused = Table(
    "refused",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("door", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("line", Integer),
    Column("payload", LargeBinary, nullable=False),
    Column("state", Text, nullable=False, server_default="kept"),
    one_of("state", "kept", "retried", "dropped"),
    Index("ix_refused_state_at", "state", "at"),
    sqlite_autoincrement=True,
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("name", Text, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

commands = Table(
    "commands",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("thing", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="sent"),
    one_of("state", "sent", "delivered", "failed"),
    Index("ix_commands_thing_state_at", "thing", "state", "at"),
    sqlite_autoincrement=True,
)

indicator_values = Table(
    "indicator_values",
    metadata,
    Column("indicator", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("scope", Text, primary_key=True),
    Column("numerator", Float),
    Column("denominator", Float),
    Column("value", Float),
)
"""`at` is the start of the day in the city; `scope` is "area:…", "department:…", or "" for the whole city."""

job_runs = Table(
    "job_runs",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("job", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("log", Text, nullable=False, server_default=""),
    Index("ix_job_runs_job_started", "job", "started"),
    sqlite_autoincrement=True,
)

counters = Table(
    "counters", metadata, Column("name", Text, primary_key=True), Column("value", BigInteger, nullable=False)
)
settings_kv = Table("settings_kv", metadata, Column("key", Text, primary_key=True), Column("value", Json))
