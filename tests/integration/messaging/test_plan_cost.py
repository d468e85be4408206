"""What planning costs: the visits of its window, however many a clinic has had."""

from datetime import timedelta
from uuid import UUID, uuid4

from tests.integration.http.service import superuser
from tests.integration.messaging.scene import DAY, Scene

from coravet.adapters.postgres.messaging.store import _PLAN

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
