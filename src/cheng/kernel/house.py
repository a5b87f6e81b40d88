"""What the house brings along, declared as applications declare theirs: areas and departments are things."""

from cheng.kernel.entities import Choice, Entity, Place, Ref, Text
from cheng.kernel.specs import App


class house(App):  # noqa: N801  # an application is named like a module
    """Keeps the areas and departments that every application refers to."""

    title = "The house"
    owner = "Operations centre"
    system = "H1"


class Area(Entity):
    """A district, street, community or grid, with its boundary."""

    public = True
    level = Choice("district", "street", "community", "grid", doc="what kind of area it is", fixed=True)
    code = Text("division or grid code")
    parent = Ref("Area", "the area it lies in")
    boundary = Place("its boundary")


class Department(Entity):
    """An office that owns things and handles cases."""

    public = True
    phone = Text("telephone on duty")
    parent = Ref("Department", "the office above it")
