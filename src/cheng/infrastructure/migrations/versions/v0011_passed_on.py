"""What is passed on to other cities is written down first, then sent, then followed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    states = "'waiting', 'sending', 'unsure', 'token', 'sent', 'refused', 'over', 'withdrawn'"
    op.create_table(
        "passings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("act", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("form", json, nullable=False),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.Column("photo", sa.Text(), nullable=False),
        sa.Column("photo_key", sa.Text(), nullable=False),
        sa.Column("marker", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("looks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("token", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", json, nullable=True),
        sa.CheckConstraint(f"state IN ({states})", name=op.f("ck_passings_state")),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_passings_case_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passings")),
        sa.UniqueConstraint("case", "act", name=op.f("uq_passings_case_act")),
        sa.UniqueConstraint("marker", name=op.f("uq_passings_marker")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_passings_photo_key"), "passings", ["photo_key"], unique=False)
    op.create_index("ix_passings_state_next_at", "passings", ["state", "next_at"], unique=False)


def downgrade() -> None:
    op.drop_table("passings")
