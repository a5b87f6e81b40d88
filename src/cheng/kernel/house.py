"""What the house brings along, declared as applications declare theirs: areas and departments are things."""

from cheng.kernel.entities import Choice, Entity, Place, Ref, Text
from cheng.kernel.specs import App

AREA_LEVELS = ("district", "street", "community", "grid")
"""From the largest down: everything that has a place lies in one of each, and is counted there. Of the three classes of
grids, "grid" is the one that somebody answers for (责任网格), built of adjacent unit grids."""
UNIT, EVALUATION = "unit grid", "evaluation grid"
FINE_LEVELS = (UNIT, EVALUATION)
"""Thousands that are looked up by place and drawn close in, but never listed: nothing is counted by them unasked."""


class house(App):  # noqa: N801  # an application is named like a module
    """Keeps the areas and departments that every application refers to."""

    title = "The house"
    owner = "Operations centre"
    system = "H1"


class Area(Entity):
    """A district, street, community or grid, with its boundary."""

    public = True
    level = Choice(*AREA_LEVELS, *FINE_LEVELS, doc="what kind of area it is", fixed=True)
    code = Text("division or grid code")
    parent = Ref("Area", "the area it lies in")
    boundary = Place("its boundary")


class Department(Entity):
    """An office that owns things and handles cases."""

    public = True
    phone = Text("telephone on duty")
    parent = Ref("Department", "the office above it")
