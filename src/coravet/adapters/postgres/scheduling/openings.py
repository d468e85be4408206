"""What says when resources work, as one JSON value for each of them."""

from datetime import date, timedelta

import msgspec

from coravet.core.scheduling.hours import Openings

OPENINGS = """
json_build_object(
    'weekly', (
        SELECT coalesce(json_agg(json_build_object(
            'weekday', h.weekday, 'opens', to_char(h.opens, 'HH24:MI'), 'closes', to_char(h.closes, 'HH24:MI'),
            'valid_from', nullif(h.valid_from, '-infinity'), 'valid_until', nullif(h.valid_until, 'infinity')
        )), '[]')
        FROM hours h
        WHERE h.clinic_id = r.clinic_id AND h.resource_id = r.id AND h.valid_from <= $3 AND h.valid_until >= $2
    ),
    'exceptions', (
        SELECT coalesce(json_object_agg(e.day, (
            SELECT coalesce(json_agg(json_build_object(
                'opens', to_char(s.opens, 'HH24:MI'), 'closes', to_char(s.closes, 'HH24:MI')
            )), '[]')
            FROM unnest(e.opens, e.closes) AS s (opens, closes)
        )), '{}')
        FROM exceptions e
        WHERE e.clinic_id = r.clinic_id AND e.resource_id = r.id AND e.day BETWEEN $2 AND $3
    ),
    'closures', (
        SELECT coalesce(json_agg(json_build_object(
            'starts_on', x.starts_on, 'ends_on', x.ends_on,
            'from_time', to_char(x.from_time, 'HH24:MI'), 'to_time', to_char(x.to_time, 'HH24:MI')
        )), '[]')
        FROM closures x
        WHERE x.clinic_id = r.clinic_id AND (x.resource_id IS NULL OR x.resource_id = r.id)
          AND x.ends_on >= $2 AND x.starts_on <= $3
    )
)::text AS openings
"""
OF_RESOURCES = "FROM resources r WHERE r.id = ANY($1)"
_AROUND = timedelta(days=2)
"""A night reaches into the day after it, and what is open across the end of the days is drawn until it shuts."""
decode_openings = msgspec.json.Decoder(Openings).decode


def about(first: date, last: date) -> tuple[date, date]:
    """The days of which rules matter to some days."""
    return first - min(_AROUND, first - date.min), last + min(_AROUND, date.max - last)
