"""Cases know their class, their channel and how many reports they stand for; who reported them is written down."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAMES = ("class_code", "source", "weight")
WORDS = ("account", "name", "phone", "email", "address", "external", "lang")


def upgrade() -> None:
    for name in NAMES[:2]:
        op.add_column("cases", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("cases", sa.Column("weight", sa.Integer(), server_default="1", nullable=False))
    op.create_index(
        "ix_cases_state_class_code_due", "cases", ["state", "class_code", "due", "id", "warn"], unique=False
    )
    op.create_table(
        "reports",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), server_default="", nullable=False) for name in WORDS),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_reports_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sqlite_autoincrement=True,
    )
    for name in ("case", "account", "phone"):
        op.create_index(op.f(f"ix_reports_{name}"), "reports", [name], unique=False)


def downgrade() -> None:
    op.drop_table("reports")
    op.drop_index("ix_cases_state_class_code_due", "cases")
    for name in NAMES:
        op.drop_column("cases", name)
