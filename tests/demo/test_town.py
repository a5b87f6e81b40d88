"""The invented city, whatever its seed: no gaps, no overlaps, dry feet, and roads that lead everywhere."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
import shapely

from cheng.demo.blocks import BUILT
from cheng.demo.names import Streets
from cheng.demo.network import BRIDGE, GROUND, KINDS, MOTORWAY, PATH, TUNNEL, Network, components
from cheng.demo.plane import DEGREE, degrees, inside_share, metres
from cheng.demo.rivers import LEVEL
from cheng.demo.terrain import rounded
from cheng.demo.town import DISTRICTS, Area, Town
from cheng.demo.weather import HOUR, Weather, hour_of_day, summer, working_day
from cheng.methods.grids import check
from cheng.standards.base_map import LAYERS, Features
from cheng.standards.grid_codes import grid_code_problem

SEEDS = (7, 3, 20)


@pytest.fixture(scope="module", params=SEEDS)
def town(request: pytest.FixtureRequest) -> Town:
    return Town(request.param)


@pytest.fixture(scope="module")
def features(town: Town) -> Features:
    return town.features()


def water(town: Town) -> shapely.Geometry:
    """All rivers and lakes, in degrees, islands left in."""
    shape = shapely.union_all([town.waters.shape, *town.lakes.shapes])
    found = shapely.transform(shape, degrees)
    shapely.prepare(found)
    return found


def lines(network: Network) -> np.ndarray:
    ends = np.stack([network.start, network.end], axis=1)
    return np.asarray(shapely.linestrings(np.stack([network.lon[ends], network.lat[ends]], axis=-1)))


# -- areas


def levels(town: Town) -> Iterator[list[Area]]:
    yield from (town.districts, town.streets, town.communities, town.grids)


def test_it_has_districts_streets_communities_and_grids(town: Town) -> None:
    assert [area.name for area in town.districts] == list(DISTRICTS)
    assert [len(level) for level in levels(town)] == [6, 18, 72, 1272]
    assert len(town.units) == 5_500
    everything = [area for level in levels(town) for area in level]
    assert len({area.name for area in everything}) == len(everything)
    assert len({area.code for area in everything}) == len(everything)
    assert {len(grid.code) for grid in town.grids} == {15}


def test_each_level_covers_the_city_once_and_without_a_gap(town: Town) -> None:
    whole = shapely.union_all([area.shape for area in town.districts])
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    for level in levels(town):
        shapes = np.array([area.shape for area in level])
        assert shapely.is_valid(shapes).all()
        assert shapely.coverage_is_valid(shapes)
        assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=1e-9)


def test_every_area_lies_in_its_parent(town: Town) -> None:
    known = {area.id: area for level in levels(town) for area in level}
    for area in (*town.streets, *town.communities, *town.grids):
        assert shapely.difference(area.shape, known[area.parent].shape).area < area.shape.area * 1e-6
        assert area.code.startswith(known[area.parent].code)
        assert area.district in DISTRICTS


def test_the_long_river_is_a_border_of_districts(town: Town) -> None:
    middle = shapely.transform(shapely.linestrings(town.waters.long.middle), degrees)
    for district in town.districts:
        assert not shapely.intersects(shapely.buffer(district.shape, -60 / DEGREE[0]), middle)


# -- ground


def test_rivers_lie_in_valleys_and_hills_stand_between_them(town: Town) -> None:
    middle = town.waters.long.middle
    on_water = degrees(middle[inside_share(middle) < 1])
    assert town.height(*on_water.T).max() < LEVEL + 15
    summits = degrees(town.terrain.summits(10))
    assert town.height(*summits.T).min() > 400
    whole = shapely.union_all([area.shape for area in town.districts])
    assert shapely.contains_xy(whole, *summits.T).all()


def test_water_finds_its_way_down(town: Town) -> None:
    assert len(town.terrain.streams) > 10
    for stream in town.terrain.streams:
        assert town.terrain.river(stream[-1]) < 900 or town.terrain.height(stream[-1]) < town.terrain.height(stream[0])


def test_places_are_the_same_in_metres_and_degrees() -> None:
    points = np.array([[0.0, 0.0], [1_234.5, -8_000.0]])
    assert metres(*degrees(points).T) == pytest.approx(points, abs=0.1)


def test_a_line_of_two_points_has_no_corners_to_cut() -> None:
    line = np.array([[0.0, 0.0], [10.0, 0.0]])
    assert rounded(line).tolist() == line.tolist()


# -- streets


def test_one_can_drive_from_everywhere_to_everywhere(town: Town) -> None:
    network = town.network
    drive = network.kind < PATH
    label = components(len(network.lon), network.start[drive], network.end[drive])
    assert len(set(label.tolist())) == 1
    assert set(KINDS[kind] for kind in network.kind.tolist()) >= set(KINDS[:6])
    assert (network.metres > 0).all()
    assert (network.street < len(network.names)).all()
    names = [name.zh for name in network.names]
    assert len(set(names)) == len(names)


def test_streets_stay_out_of_the_water_but_on_bridges(town: Town) -> None:
    network, shape = town.network, water(town)
    wet = shapely.intersects(shape, lines(network))
    assert (network.level[wet] == BRIDGE).all()
    assert 8 <= len(set(network.street[wet & (network.kind > MOTORWAY)].tolist())) <= 30
    assert (network.level == TUNNEL).any()


def test_a_street_lies_in_its_community(town: Town) -> None:
    shapes = np.array([area.shape for area in town.communities])
    far = shapely.distance(
        shapes[town.network.community], shapely.line_interpolate_point(lines(town.network), 0.5, normalized=True)
    )
    assert far.max() < 2e-6


def test_things_stand_along_roads_in_their_area_and_never_in_the_water(town: Town) -> None:
    shape = water(town)
    assert len(town.roads) > 2_000
    assert len({road.area.id for road in town.roads[:60]}) > 10
    for road in town.roads[::7]:
        places = [road.at(metres) for metres in (0, 33, road.metres / 2, road.metres, road.metres + 50)]
        assert shapely.contains_xy(road.area.shape, *np.array(places).T).all(), road.name
        assert not shapely.contains_xy(shape, *np.array(places).T).any()


def test_names_of_streets_never_end() -> None:
    names = Streets(np.random.default_rng(1))
    first = [names.next("minor").zh for _ in range(4_000)]
    assert len(set(first)) == len(first)
    assert all(name.endswith("街") for name in first)


def test_places_lie_in_their_area_on_land(town: Town) -> None:
    rng, shape = np.random.default_rng(1), water(town)
    for area in (*town.districts, *town.communities):
        places = np.array([town.inside(area, rng) for _ in range(20)])
        assert shapely.contains_xy(area.shape, *places.T).all()
        assert not shapely.contains_xy(shape, *places.T).any()
    for grid in town.grids[::9]:
        assert shapely.contains_xy(grid.shape, *town.inside(grid, rng))


def test_on_the_outskirts_nothing_is_built(town: Town) -> None:
    assert len(town.outskirts) > 10
    density = town.lattice.middles(town._growth(town.lattice.points))
    for grid in town.outskirts:
        assert not (town.blocks.built & (density > BUILT))[grid.cell.quads].any()


# -- the base map


def test_features_are_what_a_base_map_wants(features: Features) -> None:
    assert set(features.faults().tolist()) == {""}
    assert set(features.layer.tolist()) == set(LAYERS)
    assert all(features.name[features.layer == "place"])
    assert all(features.name_en[features.layer == "street"])
    assert not np.isnan(features.height[features.layer == "building"]).any()
    assert 200 <= (features.layer == "place").sum() <= 900


def test_houses_stand_on_dry_ground_and_not_in_each_other(town: Town, features: Features) -> None:
    houses = features.geometry[features.layer == "building"]
    assert len(houses) > 30_000
    assert not shapely.STRtree(houses).query(water(town), predicate="intersects").size
    one, other = shapely.STRtree(houses).query(houses, predicate="overlaps")
    shared = shapely.area(shapely.intersection(houses[one], houses[other])).sum() / 2
    assert shared < 0.002 * shapely.area(houses).sum()


def test_houses_stand_beside_the_streets(town: Town, features: Features) -> None:
    houses = features.geometry[features.layer == "building"]
    ground = town.network.level == GROUND
    hit = shapely.STRtree(houses).query(lines(town.network)[ground], predicate="intersects")[1]
    assert len(set(hit.tolist())) < 0.002 * len(houses)


def test_the_tall_houses_stand_in_the_centres(town: Town) -> None:
    middles = shapely.get_coordinates(shapely.centroid(town.buildings.shape))
    far = np.min([np.hypot(*(middles - centre).T) for centre in town._growth.centres], axis=0)
    height = town.buildings.height
    assert height.max() > 150
    assert height[far < 1_500].mean() > 2 * height[far > 5_000].mean()


def test_every_bridge_and_every_river_has_its_name(features: Features) -> None:
    kinds = features.kind[features.layer == "place"].tolist()
    assert set(kinds) == set(LAYERS["place"].kinds) - {"district", "street", "community"}  # areas of the register
    assert kinds.count("bridge") >= 8


def drawn(town: Town) -> str:
    """What is drawn, as one number."""
    features, sha = town.features(), hashlib.sha256()
    sha.update(repr(list(town.things())).encode())
    sha.update(b"".join(shapely.to_wkb(features.geometry)))
    sha.update("/".join(features.name.tolist()).encode())
    return sha.hexdigest()


def test_the_same_seed_draws_the_same_city() -> None:
    assert drawn(Town(5)) == drawn(Town(5))
    assert list(Town(6).things()) != list(Town(5).things())


# -- days


def test_it_rains_now_and_then_and_worse_in_summer() -> None:
    weather, hours = Weather(7), np.arange(400_000, 400_000 + 24 * 365) * HOUR
    rain = weather.rain(hours)
    assert 0.02 < (rain > 0).mean() < 0.2
    assert rain.max() <= 1
    warm = summer(hours) > 0.5
    assert rain[warm].sum() > 1.2 * rain[~warm].sum()


def test_seasons_and_hours_differ() -> None:
    weather = Weather(7)
    year = np.arange(455_832, 455_832 + 24 * 365) * HOUR  # 2022
    degrees = weather.temperature(year)
    assert -2 < degrees.min() < 12 < 26 < degrees.max() < 42
    fog, hour = weather.fog(year), hour_of_day(year)
    assert fog[(hour > 5) & (hour < 9)].max() > 0.5
    assert fog[(hour > 12) & (hour < 20)].max() < 0.1
    assert 0 <= weather.wind(year).min() < 1 < 6 < weather.wind(year).max()


def test_people_rest_at_festivals_and_make_up_for_them() -> None:
    hour = 8 * HOUR
    days = np.array(
        [np.datetime64(day, "us").astype(np.int64) - hour for day in ("2026-10-01", "2026-11-27", "2026-11-28")]
    )
    assert working_day(days).tolist() == [False, True, False]


def test_unit_grids_nest_in_grids_but_for_one_gap_and_one_community(town: Town) -> None:
    place = {grid.id: n for n, grid in enumerate(town.grids)}
    grids, units = (np.array([area.shape for area in areas], object) for areas in (town.grids, town.units))
    (fault,) = check(grids, units, [place[unit.parent] for unit in town.units])
    assert fault.kind == "gap"
    assert 1_000 < fault.area < 10_000
    assert {grid.parent for grid in town.grids} - {town.grids[place[unit.parent]].parent for unit in town.units} == {
        town.communities[-1].id
    }
    assert len({unit.code for unit in town.units}) == 5_500
    assert not any(grid_code_problem(unit.code) for unit in town.units)
