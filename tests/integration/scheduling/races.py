"""What races of bookings have in common."""

from collections import Counter
from collections.abc import Iterable

import httpx
from tests.integration.http.service import Clinic, Service, superuser


def codes(answers: Iterable[httpx.Response]) -> Counter[str]:
    """How often each error's code, or else each status, was answered."""
    return Counter(str(answer.json().get("code", answer.status_code)) for answer in answers)


async def overlaps(service: Service, clinic: Clinic) -> int:
    """Pairs of allocations of one resource in one lane that hold the same time."""
    async with superuser(service.settings) as admin:
        found = await admin.fetchval(
            "SELECT count(*) FROM allocations a JOIN allocations b ON a.clinic_id = b.clinic_id AND a.id < b.id"
            " AND a.resource_id = b.resource_id AND a.lane = b.lane AND a.during && b.during"
            " AND a.released_at IS NULL AND b.released_at IS NULL WHERE a.clinic_id = $1",
            clinic.id,
        )
        return int(found)
