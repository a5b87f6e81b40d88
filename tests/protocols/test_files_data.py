"""Real files of real cities; each test skips with a plain line where the data is not beside the project."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cheng.protocols.files import Reading, Row, SeriesChunk, read_series, read_things
from cheng.standards.problems import InputError
from shared_data import shared


def things(path: Path, *args: Any, **options: Any) -> tuple[list[Row], list[InputError]]:
    found = list(read_things(path, *args, **options))
    return [x for x in found if isinstance(x, Row)], [x for x in found if isinstance(x, InputError)]


def series(path: Path, mapping: dict[str, str], **options: Any) -> tuple[list[SeriesChunk], list[InputError]]:
    found = list(read_series(path, mapping, Reading(**options)))
    return [x for x in found if isinstance(x, SeriesChunk)], [x for x in found if isinstance(x, InputError)]


def test_bus_stops_of_chongqing_in_both_encodings() -> None:
    raw, bad = things(shared("chongqing_bus/station_poi.txt"), {"name": "#1", "lon": "#2", "lat": "#3"}, "GCJ-02")
    assert bad == []
    mapping = {"name": "stop_name", "lon": "lon_gcj02", "lat": "lat_gcj02"}
    decoded, bad = things(shared("chongqing_bus/stops_utf8_with_district.csv"), mapping, "GCJ-02")
    assert bad == []
    assert [row.fields["name"] for row in raw] == [row.fields["name"] for row in decoded]
    assert len(raw) == 3431
    assert raw[0].geometry == decoded[0].geometry


def test_districts_of_chongqing() -> None:
    path = shared("admin_cn/boundaries/chongqing_500000_districts.geojson")
    rows, bad = things(path, {"id": "adcode"}, "GCJ-02")
    assert (len(rows), len(bad)) == (32, 6)
    assert all("elf-intersection" in problem.reason for problem in bad)
    rows, bad = things(path, {"id": "adcode"}, "GCJ-02", mend=True)
    assert (len(rows), bad) == (38, [])
    assert rows[0].fields["name"] == "万州区"


def test_what_only_looks_like_geojson() -> None:
    path = shared("admin_cn/boundaries/location.json")
    with pytest.raises(InputError, match="no GeoJSON"):
        things(path)


def test_population_of_helsinki() -> None:
    rows, bad = things(shared("population_grid/helsinki_population_grid_2020.gpkg"))
    assert (len(rows), bad) == (92, [])
    assert sum(row.fields["population"] for row in rows) > 10_000


def test_car_parks_of_dresden() -> None:
    path = shared("parking_de/dresden_meta.csv")
    rows, bad = things(path, {"id": "place_id"}, placeless="keep")
    assert (len(rows), bad) == (39, [])
    chunks, bad = series(shared("parking_de/dresden_2021-09_2021-11.csv.gz"), {"time": "timestamp"}, attr="free")
    assert bad == []
    assert set(chunks[0].ids.dictionary.to_pylist()) == {row.fields["id"] for row in rows}
    assert sum(map(len, chunks)) == 336_424
    assert chunks[0].time[0] == 1_630_454_402_000_000


def test_four_years_of_air_in_beijing() -> None:
    pollutants = {name: name for name in ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "wd")}
    mapping = {"time": "year+month+day+hour", "id": "station", **pollutants}
    chunks, bad = series(shared("air_beijing/PRSA_Data_Dongsi_20130301-20170228.csv.gz"), mapping)
    assert bad == []
    counts: Counter[str] = Counter()
    for chunk in chunks:
        counts.update(chunk.attrs.to_pylist())
    assert set(counts) == set(pollutants)
    assert all(count > 31_000 for count in counts.values())
    assert {chunk.is_text for chunk in chunks} == {True, False}
    assert chunks[0].time[0] == 1_362_067_200_000_000  # 2013-03-01 00:00 in Beijing


def test_the_water_loop() -> None:
    chunks, bad = series(shared("anomaly_skab/valve1/0.csv"), {"time": "datetime"}, thing="loop")
    assert bad == []
    assert set(chunks[0].attrs.dictionary.to_pylist()) >= {"Pressure", "Volume Flow RateRMS", "anomaly"}
    assert sum(map(len, chunks)) == 11_470


def test_detectors_of_los_angeles() -> None:
    rows, bad = things(shared("traffic_los_loop/graph_sensor_locations.csv"), {"id": "sensor_id"})
    assert (len(rows), bad) == (207, [])
    start, step = 1_330_560_000_000_000, 300_000_000
    path = shared("traffic_los_loop/los_speed.csv")
    chunks, bad = series(path, {}, attr="speed", start_us=start, step_us=step)
    assert bad == []
    times = np.concatenate([chunk.time for chunk in chunks])
    assert len(times) == 2016 * 207
    assert (times[0], times[-1]) == (start, start + 2015 * step)
    assert set(chunks[0].ids.dictionary.to_pylist()) == {row.fields["id"] for row in rows}


def test_enterprises_of_chongqing() -> None:
    rows, bad = things(shared("enterprise_cn/chongqing_2019.csv.gz"), {"id": "统一社会信用代码"})
    assert bad == []
    assert len({row.fields["id"] for row in rows}) == len(rows)
