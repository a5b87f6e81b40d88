"""OpenStreetMap files: what is drawn as what, and what is said of the rest."""

from collections import Counter

import pytest

from cheng.protocols.files_osm import read_osm
from cheng.standards.base_map import BRIDGE, GROUND, TUNNEL
from cheng.standards.problems import InputError
from shared_data import shared

LEFT, TOP, STEP = 106.5, 29.6, 0.001


def tags_of(tags):
    return "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())


class Sheet:
    """An OSM XML file in the making: nodes lie on a lattice and are named by their place in it."""

    def __init__(self):
        self.nodes, self.ways, self.relations = {}, [], []

    def node(self, column, row, **tags):
        self.nodes[column, row] = tags
        return self

    def way(self, *lattice, **tags):
        for at in lattice:
            self.nodes.setdefault(at, {})
        self.ways.append((lattice, tags))
        return len(self.ways)

    def box(self, column, row, across, down, **tags):
        right, below = column + across, row + down
        return self.way((column, row), (right, row), (right, below), (column, below), (column, row), **tags)

    def relation(self, members, **tags):
        self.relations.append((members, {"type": "multipolygon", **tags}))

    def xml(self):
        lines = ['<osm version="0.6" generator="test">']
        number = {at: place + 1 for place, at in enumerate(self.nodes)}
        for (column, row), tags in self.nodes.items():
            where = f'lat="{TOP - row * STEP:.7f}" lon="{LEFT + column * STEP:.7f}"'
            lines.append(f'<node id="{number[column, row]}" version="1" {where}>{tags_of(tags)}</node>')
        for place, (lattice, tags) in enumerate(self.ways):
            refs = "".join(f'<nd ref="{number[at]}"/>' for at in lattice)
            lines.append(f'<way id="{place + 1}" version="1">{refs}{tags_of(tags)}</way>')
        for place, (members, tags) in enumerate(self.relations):
            refs = "".join(f'<member type="way" ref="{ref}" role="{role}"/>' for ref, role in members)
            lines.append(f'<relation id="{place + 1}" version="1">{refs}{tags_of(tags)}</relation>')
        return "\n".join([*lines, "</osm>"])

    def read(self, folder):
        (folder / "town.osm").write_text(self.xml(), "utf-8")
        return read_osm(folder / "town.osm")


def rows(found, *names):
    columns = [getattr(found.features, name).tolist() for name in names]
    return sorted(zip(*columns, strict=True))


def test_ways_are_streets_rail_and_waterways_on_their_level(tmp_path):
    sheet = Sheet()
    sheet.way((0, 0), (5, 0), highway="primary", name="中山路", **{"name:en": "Zhongshan Road"})
    sheet.way((5, 0), (9, 0), highway="motorway_link", bridge="viaduct")
    sheet.way((0, 1), (5, 1), highway="residential", tunnel="yes")
    sheet.way((0, 2), (5, 2), railway="subway", tunnel="yes", name="1号线")
    sheet.way((0, 3), (5, 3), waterway="river", name="清江")
    sheet.way((0, 4), (5, 4), highway="proposed")
    found = sheet.read(tmp_path)
    assert rows(found, "layer", "kind", "name", "name_en", "rank", "level") == [
        ("rail", "metro", "1号线", "", 10, TUNNEL),
        ("street", "minor", "", "", 13, TUNNEL),
        ("street", "motorway", "", "", 10, BRIDGE),
        ("street", "primary", "中山路", "Zhongshan Road", 8, GROUND),
        ("waterway", "river", "清江", "", 7, GROUND),
    ]
    assert (found.refused, found.unknown) == ([], Counter())


def test_closed_ways_are_land_water_green_and_buildings_with_heights(tmp_path):
    sheet = Sheet()
    sheet.box(0, 0, 1, 1, building="yes", height="12,5 m")
    sheet.box(2, 0, 1, 1, building="apartments", **{"building:levels": "33"})
    sheet.box(4, 0, 1, 1, building="school", height="40'")
    sheet.box(6, 0, 1, 1, building="shed", height="tall")
    sheet.box(0, 3, 90, 90, natural="water", water="reservoir", name="南湖")
    sheet.box(0, 300, 1, 1, leisure="park", name="人民公园")
    sheet.box(3, 300, 1, 1, amenity="hospital")
    found = sheet.read(tmp_path)
    told = rows(found, "layer", "kind", "name", "rank", "height")
    assert [row[:3] for row in told] == [
        ("building", "civic", ""),
        ("building", "residential", ""),
        ("building", "yes", ""),
        ("building", "yes", ""),
        ("green", "park", "人民公园"),
        ("land", "health", ""),
        ("place", "park", "人民公园"),
        ("water", "reservoir", "南湖"),
    ]
    assert sorted(str(round(row[4], 2)) for row in told[:4]) == ["12.19", "12.5", "99.0", "nan"]
    assert told[7][3] < told[4][3]  # what is larger is drawn from further out
    assert found.unknown == Counter({"height=tall": 1})


def test_outlines_of_several_ways_are_put_together_with_their_holes(tmp_path):
    sheet = Sheet()
    north = sheet.way((0, 4), (0, 0), (8, 0), (8, 4))
    south = sheet.way((8, 4), (8, 8), (0, 8), (0, 4))
    island = sheet.box(2, 2, 2, 2)
    sheet.relation([(north, "outer"), (south, "outer"), (island, "inner")], natural="water", water="river", name="清江")
    found = sheet.read(tmp_path)
    assert rows(found, "layer", "kind", "name") == [("water", "river", "清江")]
    assert found.features.geometry[0].area == pytest.approx((64 - 4) * STEP**2)


def test_names_are_places(tmp_path):
    sheet = Sheet().node(0, 0, place="city", name="澄江", **{"name:en": "Chengjiang"})
    sheet.node(1, 0, natural="peak", name="虎踞山").node(2, 0, railway="station", name="沙湾站")
    sheet.node(3, 0, place="suburb").node(4, 0, highway="bus_stop", name="解放碑")
    assert rows(sheet.read(tmp_path), "layer", "kind", "name", "name_en", "rank") == [
        ("place", "city", "澄江", "Chengjiang", 3),
        ("place", "hill", "虎踞山", "", 12),
        ("place", "station", "沙湾站", "", 12),
    ]


def test_what_is_wrong_is_said_and_the_rest_is_drawn(tmp_path):
    sheet = Sheet()
    sheet.way((0, 0), (1, 1), (1, 0), (0, 1), (0, 0), building="yes", name="歪楼")
    half = sheet.way((0, 4), (0, 0), (8, 0))
    sheet.relation([(half, "outer")], landuse="forest")
    sheet.way((9, 9), (9, 9), highway="path")
    sheet.way((0, 5), (5, 5), highway="ladder")
    sheet.way((0, 6), (5, 6), highway="secondary")
    found = sheet.read(tmp_path)
    assert rows(found, "layer", "kind") == [("street", "secondary")]
    assert sorted((error.code, error.reason.split(" at ")[0]) for error in found.refused) == [
        ("broken-outline", "relation 1: its outlines do not close, cross themselves, or are not all in the file"),
        ("broken-outline", "way 1 (building 歪楼): its outline crosses itself: Self-intersection"),
        ("points-missing", "way 3: fewer than two of its points are in the file"),
    ]
    assert found.unknown == Counter({"highway=ladder": 1})


def test_of_a_file_that_was_cut_off_the_beginning_is_drawn(tmp_path):
    sheet = Sheet()
    for row in range(40):
        sheet.way((0, row), (5, row), highway="secondary")
    text = sheet.xml()
    file = tmp_path / "cut.osm"
    file.write_text(text[: int(len(text) * 0.8)], "utf-8")
    found = read_osm(file)
    assert 0 < len(found.features) < 40
    assert [error.code for error in found.refused][-1] == "cut-off"
    assert "what stood before that is drawn" in found.refused[-1].reason


@pytest.mark.parametrize(("name", "content"), [("a.osm", "no XML at all"), ("a.osm.pbf", "no PBF"), ("a.txt", "what?")])
def test_another_file_is_refused_as_a_whole(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match="cannot be read as OpenStreetMap"):
        read_osm(tmp_path / name)


def test_porto_alegre_as_it_is():
    found = read_osm(shared("city_porto_alegre/poa_osm.pbf"))
    counts = Counter(zip(found.features.layer.tolist(), found.features.kind.tolist(), strict=True))
    assert len(found.features) == sum(counts.values()) > 15_000
    assert (counts["street", "secondary"], counts["rail", "metro"], counts["water", "lake"]) == (1623, 5, 2)
    assert {"Rua dos Andradas"} <= set(found.features.name.tolist())
    assert not found.refused
