"""How the store's tables came to be, one file a step, run by Alembic when a store is opened."""
