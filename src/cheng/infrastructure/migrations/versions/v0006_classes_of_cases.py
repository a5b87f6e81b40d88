"""Cases are filed by conditions of classes that have versions, and departments answer for classes by area."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from cheng.infrastructure.migrations.triggers import append_only

revision = "0006"
down_revision = "0005"

JSONB = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "case_classes",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("group_name_zh", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("conditions", JSONB, nullable=False),
        sa.Column("responsible", sa.Text(), nullable=False),
        sa.Column("supervising", sa.Text(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('component', 'event', 'service')", name=op.f("ck_case_classes_kind")),
        sa.PrimaryKeyConstraint("flow", "code", "version", name=op.f("pk_case_classes")),
    )
    op.create_table(
        "responsibilities",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("departments", JSONB, nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_responsibilities")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_responsibilities_flow"), "responsibilities", ["flow"], unique=False)
    append_only("case_classes", "responsibilities")


def downgrade() -> None:
    op.drop_table("responsibilities")
    op.drop_table("case_classes")
