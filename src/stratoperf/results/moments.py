"""Moments of the calendar, as run files and options write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_FORM = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.(?P<fraction>[0-9]{1,9}))?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_FIRST = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Time zones need room up to the last day of the calendar.
_LAST = datetime(9999, 12, 30, tzinfo=timezone.utc)


def moment_of(text: str) -> datetime:
    """Return the moment of an ISO 8601 text, from 1970 on, in UTC.

    Parameters
    ----------
    text
        Such as ``2026-11-03``, ``2026-11-03T09:37:00Z`` or ``2026-11-03 09:37+01:00``; UTC unless
        it says otherwise.

    Raises
    ------
    ValueError
        For any other text.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 time")
    # Versions of Python differ in what more they read; this all of them do.
    fraction = (match["fraction"] or "").ljust(6, "0")[:6]
    zone = (match["zone"] or "+00:00").replace("Z", "+00:00").replace(":", "")
    time = match["time"] or "00:00"
    seconds = "" if time.count(":") == 2 else ":00"
    moment = datetime.fromisoformat(f"{match['date']}T{time}{seconds}.{fraction}+00:00")
    hours, minutes = int(zone[1:3]), int(zone[3:])
    if not _FIRST <= moment <= _LAST or hours > 23 or minutes > 59:
        raise ValueError("outside the calendar")
    offset = timedelta(hours=hours, minutes=minutes)
    return moment - offset if zone[0] == "+" else moment + offset
