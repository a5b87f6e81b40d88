"""A store goes from one version to the next and back, with what it holds."""

import pytest
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select

from cheng.infrastructure.alert_things import BEHIND, about, alerts_of_things
from cheng.infrastructure.store import MIGRATIONS, Store
from cheng.infrastructure.tables import alert_notices, alerts, metadata

pytestmark = pytest.mark.backends
AT = 1_700_000_000_000_000


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)


def test_migrations_go_down_and_up_again(store: Store) -> None:
    steps = [script.module for script in scripts().walk_revisions()]
    with store.write() as conn:
        context = MigrationContext.configure(conn)
        with context.begin_transaction(), Operations.context(context):
            for step in steps:
                step.downgrade()
            left = set(inspect(conn).get_table_names()) - {"sqlite_sequence"}
            assert left == {"alembic_version"}
            for step in reversed(steps):
                step.upgrade()
    with store.read() as conn:
        assert set(inspect(conn).get_table_names()) >= set(metadata.tables)


def test_alerts_go_down_and_up_again_with_their_stories(store: Store) -> None:
    step = scripts().get_revision("0003").module
    alert = {"rule": "r", "app": "x", "onset": AT, "raised": AT, "level": "danger", "message_values": {"n": 1}}
    plain = alert | {"number": 1, "key": "a", "cleared": AT + 5, "state": "standing", "written": AT, "ended": AT + 9}
    joined = alert | {"number": 2, "key": "b", "cleared": None, "state": "shelved", "group_id": 1}
    with store.write() as conn:
        conn.execute(insert(alerts), plain)
        conn.execute(insert(alerts), joined)
        conn.execute(insert(alert_notices), {"alert": 2, "at": AT, "kind": "raised", "detail": {"state": "shelved"}})
        with Operations.context(MigrationContext.configure(conn)):
            step.downgrade()
            step.upgrade()
        conn.execute(insert(alert_notices), {"alert": 2, "at": AT + 10, "kind": "cleared", "detail": {}})
    with store.read() as conn:
        found = conn.execute(select(alerts.c.number, alerts.c.group_id, alerts.c.written).order_by(alerts.c.number))
        assert [tuple(row) for row in found] == [(1, None, None), (2, 1, None)]
        notices = [alert_notices.c[name] for name in ("alert", "at", "kind", "detail")]
        said = conn.execute(select(*notices).order_by(notices[0], notices[1]))
        assert [tuple(row) for row in said] == [
            (1, AT, "raised", {"state": "standing"}),
            (1, AT + 9, "cleared", {"time": AT + 5}),
            (2, AT, "raised", {"state": "shelved"}),
            (2, AT + 10, "cleared", {}),
        ]


def test_alerts_that_were_there_before_are_found_by_their_thing(store: Store) -> None:
    step = scripts().get_revision("0004").module
    alert = {"rule": "r", "app": "x", "onset": AT, "raised": AT, "level": "danger", "message_values": {}}
    numbers = [1, BEHIND, BEHIND + 1]
    with store.write() as conn:
        for number in numbers:
            conn.execute(insert(alerts), alert | {"number": number, "key": str(number), "state": "open", "thing": 7})
        with Operations.context(MigrationContext.configure(conn)):
            step.downgrade()
            step.upgrade()
        assert list(conn.execute(select(alerts_of_things.c.number)).scalars()) == numbers[:2]
        assert list(conn.execute(select(alerts.c.number).where(about(7))).scalars()) == numbers
