"""A still picture of the map: it shows what its reader may see, says what it cannot draw, and runs nothing."""

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
import shapely
from house import Visitor
from hypothesis import given
from hypothesis import strategies as st

from cheng.hub import Hub
from cheng.infrastructure.registration import NewThing
from cheng.standards.base_map import Features
from cheng.web.map.expressions import asked, value
from cheng.web.map.still_names import broken, ems, meet, shown
from cheng.web.map.style import LOOKS

SVG = "{http://www.w3.org/2000/svg}"
VIEW = "at=106.55,29.55,11&size=640x512"
Come = Callable[..., Visitor]


@pytest.fixture
def town(hub: Hub) -> Hub:
    """One district with a long street and a lake."""
    outline = {
        "type": "Polygon",
        "coordinates": [[[106.4, 29.4], [106.7, 29.4], [106.7, 29.7], [106.4, 29.7], [106.4, 29.4]]],
    }
    hub.things.put([NewThing("d1", "Area", "临江<b>区", properties={"level": "district"}, geometry=outline)], "test")
    way = shapely.LineString([(106.45, 29.5), (106.65, 29.6)])
    hub.base_map.put("streets", Features.of("street", "primary", [way], name="中山<script>路", rank=8))
    lake = shapely.Point(106.55, 29.55).buffer(0.02)
    hub.base_map.put("water", Features.of("water", "lake", [lake], name="镜湖", rank=8))
    return hub


def drawn(visitor: Visitor, view: str = VIEW, look: str = "day") -> ElementTree.Element:
    answer = visitor.get(f"/map/still/{look}?{view}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("image/svg+xml")
    return ElementTree.fromstring(answer.content)


@pytest.mark.parametrize("look", LOOKS)
def test_ground_lines_and_names_are_drawn(town: Hub, visitor: Come, look: str) -> None:
    picture = drawn(visitor(), look=look)
    assert (picture.get("width"), picture.get("height")) == ("640", "512")
    paths = picture.findall(f"{SVG}path")
    assert any(path.get("fill") != "none" for path in paths), "the lake"
    assert any(path.get("fill") == "none" for path in paths), "the street"
    written = " ".join("".join(text.itertext()) for text in picture.iter(f"{SVG}text"))
    assert "临江<b>区" in written
    assert not [each for each in picture.iter() if each.tag.endswith("script")], "names are words and nothing else"


def test_another_view_is_another_picture_and_the_same_one_is_sent_once(town: Hub, visitor: Come) -> None:
    reader = visitor()
    first = reader.get(f"/map/still/day?{VIEW}")
    assert reader.get("/map/still/day?at=106.55,29.55,12&size=640x512").content != first.content
    again = reader.get(f"/map/still/day?{VIEW}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    far = drawn(visitor(), "at=0,0,14&size=640x512")
    assert not list(far.iter(f"{SVG}text"))


@pytest.mark.parametrize(
    "view",
    [
        "",
        "at=106.55,29.55,11",
        "at=106.55,29.55,11&size=640",
        "at=106.55,29.55,11&size=99999x640",
        "at=106.55,29.55,11&size=1x1",
        "at=200,29.55,11&size=640x512",
        "at=106.55,95,11&size=640x512",
        "at=106.55,29.55,99&size=640x512",
        "at=nan,29.55,11&size=640x512",
    ],
)
def test_what_is_no_view_gets_a_sentence(town: Hub, visitor: Come, view: str) -> None:
    answer = visitor().get(f"/map/still/day?{view}")
    assert answer.status_code == 400
    assert "size=" in answer.text
    assert visitor().get(f"/map/still/dusk?{VIEW}").status_code == 404


def test_expressions_come_to_what_maplibre_makes_of_them() -> None:
    said = {"kind": "lake", "rank": 3}
    for told, expected in (
        (7, 7),
        (["get", "kind"], "lake"),
        (["has", "name"], False),
        (["==", ["get", "kind"], "lake"], True),
        (["<=", ["get", "none"], 3], False),
        (["all", ["has", "kind"], ["<=", ["get", "rank"], 3]], True),
        (["coalesce", ["get", "none"], ["get", "rank"]], 3),
        (["match", ["get", "kind"], ["river", "lake"], "wet", "sea", "salt", "dry"], "wet"),
        (["case", ["has", "none"], 1, ["has", "rank"], 2, 3], 2),
        (["in", ["get", "kind"], ["literal", ["lake"]]], True),
        (["interpolate", ["linear"], ["zoom"], 10, 0, 14, 8], 4),
        (["interpolate", ["exponential", 2], ["zoom"], 10, 0, 14, 15], 3),
    ):
        assert value(told, said, 12) == expected, told
    assert asked(["all", ["has", "kind"], ["<=", ["get", "rank"], 3]]) == {"kind", "rank"}
    with pytest.raises(ValueError, match="sky"):
        value(["sky", 1], said, 12)


@given(st.lists(st.text(st.sampled_from("ab路灯"), min_size=1, max_size=6), max_size=6), st.floats(1, 20))
def test_a_name_is_broken_between_words_and_loses_none(words: list[str], most: float) -> None:
    lines = broken(" ".join(words), most, 0)
    assert " ".join(lines).split() == " ".join(words).split()
    assert all(ems(line, 0) <= most or " " not in line for line in lines)


def test_boxes_that_touch_do_not_meet() -> None:
    assert meet((0, 0, 2, 2), (1, 1, 3, 3))
    assert not meet((0, 0, 2, 2), (2, 0, 4, 2))


def test_no_name_spoils_the_picture() -> None:
    assert shown("镜\x07湖\n<b>") == "镜 湖 <b>"
