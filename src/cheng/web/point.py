"""A place as a form has it: “31.30312, 120.60123”, as maps write it, the latitude first."""

import re

from cheng.web.forms import Form

Place = tuple[float, float]
"""Longitude and latitude."""
NUMBER = re.compile(r"-?\d{1,3}(?:\.\d{1,16})?")


def point(form: Form, name: str = "place") -> Place | None:
    """Longitude and latitude; None for a field that is empty or wrong."""
    told = form.text(name, most=100)
    if told is None:
        return None
    parts = [part.strip() for part in told.replace("，", ",").split(",")]
    if len(parts) == 2 and all(NUMBER.fullmatch(part) for part in parts):
        latitude, longitude = map(float, parts)
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            return longitude, latitude
    form.wrong(name, "Please write the place as latitude and longitude, for example 31.30312, 120.60123.")
    return None
