"""What planning costs: the visits of its window and the messages that need looking after, however many there were."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.http.service import superuser
from tests.integration.messaging.scene import DAY, Scene

from coravet.adapters.postgres.cursors import FIRST
from coravet.adapters.postgres.messaging.store import _LET_GO, _OVERDUE, _PLAN, NEVER

_PAST = """
INSERT INTO appointments (clinic_id, id, service_id, patient_id, client_id, status, starts_at, ends_at, source, lane,
                          version, created_at, status_since)
SELECT a.clinic_id, gen_random_uuid(), a.service_id, a.patient_id, a.client_id, 'confirmed', day,
       day + interval '30 minutes', 'staff', 0, 1, a.created_at, a.status_since
FROM appointments a, generate_series(1, 20000) n, LATERAL (SELECT now() - n * interval '30 minutes' AS day) d
WHERE a.clinic_id = $1
"""


async def test_window_only(scene: Scene) -> None:
    """Over 20,000 past visits planning reads those of its window, by the index on their start."""
    await scene.remind({"kind": "visit_reminder", "channel": "mail", "minutes_before": 1440})
    since = scene.clock.at + 300 * DAY
    async with superuser(scene.service.settings) as admin:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute(_PAST, UUID(scene.clinic.id))
        await admin.execute("ANALYZE appointments")
        found = await admin.fetch(f"EXPLAIN {_PLAN}", since, since + timedelta(hours=3), [uuid4()])
        await transaction.rollback()
    plan = "\n".join(row[0] for row in found)
    assert "Seq Scan on appointments" not in plan, plan
    assert "ix_appointments_starts_at" in plan, plan


_DONE = """
INSERT INTO messages (clinic_id, id, kind, subject_type, subject_id, channel, due_at, starts_at, status, sent_at)
SELECT $1, gen_random_uuid(), 'visit_booked', 'appointment', gen_random_uuid(), 'mail', day, day, status,
       CASE status WHEN 'sent' THEN day END
FROM generate_series(1, 20000) n, LATERAL (SELECT now() - n * interval '30 minutes' AS day) d,
     LATERAL (SELECT CASE WHEN n % 100 > 0 THEN 'sent' WHEN n % 200 > 0 THEN 'planned' ELSE 'waiting' END) s (status)
"""


@pytest.mark.parametrize(
    ("sql", "values", "index"),
    [(_OVERDUE, (NEVER, FIRST, 500), "ix_messages_overdue"), (_LET_GO, (), "ix_messages_waiting")],
)
async def test_looked_after_only(sql: str, values: tuple[Any, ...], index: str, scene: Scene) -> None:
    """Over 20,000 messages of the past, those that are overdue or wait in vain are found by an index of their own."""
    async with superuser(scene.service.settings) as admin:
        transaction = admin.transaction()
        await transaction.start()
        # Those of other tests, which sent them to nobody, would be so many that reading all is cheapest.
        await admin.execute("UPDATE messages SET status = 'skipped' WHERE status IN ('planned', 'waiting')")
        await admin.execute(_DONE, UUID(scene.clinic.id))
        await admin.execute("ANALYZE messages")
        await admin.execute(f'SET LOCAL ROLE "{scene.service.settings.database_role_prefix}_system"')
        found = await admin.fetch(f"EXPLAIN {sql}", scene.clock.at, *values)
        await transaction.rollback()
    plan = "\n".join(row[0] for row in found)
    assert "Seq Scan" not in plan, plan
    assert index in plan, plan
    assert "Sort" not in plan, plan
