"""Alembic asks here how to run. The connection comes from `Store`, inside a transaction that holds the lock."""

from alembic import context

from cheng.infrastructure.tables import metadata


def run() -> None:
    """Run what is missing on the connection handed over by the store."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name under which Alembic loads this file; a plain import does nothing
    run()
