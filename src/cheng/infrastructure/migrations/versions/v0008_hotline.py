"""Agents answer calls: what they know is in articles with versions, what became of each call is kept."""

import sqlalchemy as sa
from alembic import op

from cheng.infrastructure.migrations.triggers import append_only

revision = "0008"
down_revision = "0007"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("reports", sa.Column("call_back", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "articles",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("question_zh", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answer_zh", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("class_code", sa.Text(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", "version", name=op.f("pk_articles")),
    )
    op.create_table(
        "calls",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("case", sa.Text(), nullable=True),
        sa.Column("article", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('filed', 'followed', 'answered', 'reached', 'missed', 'declined')",
            name=op.f("ck_calls_outcome"),
        ),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_calls_case_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("key", name=op.f("uq_calls_key")),
        sqlite_autoincrement=True,
    )
    for column in ("at", "phone", "case"):
        op.create_index(op.f(f"ix_calls_{column}"), "calls", [column], unique=False)
    append_only("articles")


def downgrade() -> None:
    op.drop_table("calls")
    op.drop_table("articles")
    op.drop_column("reports", "call_back")
