"""Runs migrations on the connection that `coravet migrate` hands over, as the owner role."""

from alembic import context

from coravet.adapters.postgres.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run migrations with `coravet migrate`: it makes the roles and connects as the owner.")

context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
