"""Quiet hours: when a clinic leaves its clients in peace."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from coravet.core.kernel.fields import WallTime, wall_time
from coravet.core.tenancy.clinic_day import stretches

_DAY = timedelta(days=1)


class QuietHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `begins` until `ends`, every day, as the clinic's clock shows it; across midnight where it ends no later."""

    begins: WallTime
    ends: WallTime


def awake(at: datetime, quiet: QuietHours | None, zone: ZoneInfo) -> datetime:
    """The first instant from `at` on that is not within quiet hours.

    What the clock shows is what counts: an hour that comes twice is quiet twice, and quiet hours whose end is skipped
    end with the skip.

    Raises:
        ValueError: `at` is naive, or outside the years 2 to 9998.
    """
    if quiet is None or quiet.begins == quiet.ends:
        return at
    begins, ends = wall_time(quiet.begins), wall_time(quiet.ends)
    parts = stretches(at, at + 3 * _DAY, zone)
    for part in parts:
        wall = part.starts_at + part.offset  # written as if the clinic kept UTC
        if not _within(wall.time(), begins, ends):
            return part.starts_at
        ending = wall.replace(hour=ends.hour, minute=ends.minute, second=0, microsecond=0)
        awakes = (ending if ending > wall else ending + _DAY) - part.offset
        if awakes < part.ends_at:
            return awakes
    raise ValueError("No zone is quiet for three days.")


def _within(wall: time, begins: time, ends: time) -> bool:
    return begins <= wall < ends if begins < ends else wall >= begins or wall < ends
