"""A restored hub is the hub it was: readings, alerts, cases, files, and what was about to become an alert."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import select

from cheng.apps.city import manhole_covers
from cheng.apps.city.manhole_covers import Cover
from cheng.backups import back_up, restore
from cheng.hub import open_hub
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.tables import acts, alerts, cases, metadata
from cheng.kernel.model import Model
from cheng.standards.base_map import Features
from cheng.standards.durations import minutes, seconds
from cheng.standards.problems import Refused
from cheng.testing import Town, city, weak_hasher


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path / "data", manhole_covers) as town:
        town.register(Cover, "c1", ward="North", depth=2, at=(106.5, 29.5))
        town.register(Cover, "c2", ward="South", depth=2, at=(106.6, 29.6))
        yield town


def restored(town: Town, archive: Path, folder: Path) -> Town:
    restore(archive, folder)
    hub = open_hub(Settings(data=folder), town.clock, Model.of([manhole_covers]), weak_hasher())
    return Town(hub, town.clock)


def rows(town: Town) -> dict[str, list[Any]]:
    """Everything the store holds but the state of the judging, which is bytes of the moment."""
    with town.hub.store.read() as conn:
        return {
            table.name: [tuple(row) for row in conn.execute(select(table))]
            for table in metadata.sorted_tables
            if table.name != "checkpoints"
        }


def test_everything_comes_back(town: Town, tmp_path: Path) -> None:
    town.keeps_reporting("c1", minutes(3), tilt=30)
    zhang = town.officer("Zhang", department="North drainage crew")
    zhang.completes(town.case())
    zhang.completes(town.case(), photo=True)
    town.sends(b'{"id": "c1", "attr": "tilt", "time": "yesterday", "value": 3}')
    town.hub.base_map.put("demo", Features.of("place", "city", [shapely.Point(106.5, 29.5)], name="澄江"))
    tile = town.hub.base_map.tile(0, 0, 0)
    archive = tmp_path / "all.tar"
    told = back_up(town.hub, archive)
    assert told["bytes"] == archive.stat().st_size
    assert archive.stat().st_mode & 0o777 == 0o600
    kept = rows(town)
    readings = town.hub.history.readings().drop_columns("latitude")
    again = restored(town, archive, tmp_path / "again")
    try:
        assert rows(again) == kept
        assert kept[alerts.name]
        assert kept[cases.name]
        assert len(kept[acts.name]) > 2
        assert again.hub.history.readings().drop_columns("latitude").equals(readings)
        assert again.current("c1", "tilt") == town.current("c1", "tilt") == 30
        proof = again.hub.cases.acts(again.case().entry.id)[-1].data["proof"][0]["blob"]
        assert again.hub.blobs.path(proof).read_bytes() == town.hub.blobs.path(proof).read_bytes()
        assert again.hub.base_map.tile(0, 0, 0) == tile
    finally:
        again.hub.close()


def test_what_was_about_to_happen_happens_in_the_restored_hub(town: Town, tmp_path: Path) -> None:
    """The state of the judging was never written down here: the log in the archive makes up for it."""
    town.reports("c2", tilt=40)
    town.passes(seconds(90))
    town.reports("c2", tilt=40)
    archive = tmp_path / "all.tar"
    back_up(town.hub, archive)
    again = restored(town, archive, tmp_path / "again")
    try:
        assert again.alerts() == []
        town.clock.advance(seconds(40).us)
        again.reports("c2", tilt=40)
        (alert,) = again.alerts()
        assert (alert.rule, alert.onset) == ("displaced", town.clock.now() - seconds(130).us)
    finally:
        again.hub.close()


def test_no_alert_is_raised_twice_by_a_restore(town: Town, tmp_path: Path) -> None:
    town.keeps_reporting("c1", minutes(3), tilt=30)
    archive = tmp_path / "all.tar"
    back_up(town.hub, archive)
    again = restored(town, archive, tmp_path / "again")
    try:
        again.reports("c1", tilt=31)
        assert len(again.alerts(over=True)) == 1
        assert len(again.cases()) == 1
    finally:
        again.hub.close()


def test_settings_beside_the_data_are_part_of_it(town: Town, tmp_path: Path) -> None:
    (tmp_path / "data" / "cheng.toml").write_text('city = "Yuzhong"\n')
    back_up(town.hub, tmp_path / "all.tar")
    restore(tmp_path / "all.tar", tmp_path / "again")
    assert Settings.load(tmp_path / "again", {}).city == "Yuzhong"
    for name in ("audit.key", "cheng.db"):
        assert (tmp_path / "again" / name).is_file()
    assert (tmp_path / "again" / "audit.key").stat().st_mode & 0o077 == 0


def test_nothing_is_ever_written_over(town: Town, tmp_path: Path) -> None:
    archive = tmp_path / "all.tar"
    back_up(town.hub, archive)
    with pytest.raises(Refused, match="there already"):
        back_up(town.hub, archive)
    with pytest.raises(Refused, match="not empty"):
        restore(archive, tmp_path / "data")


def test_a_place_that_cannot_be_written_is_said(town: Town, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be written"):
        back_up(town.hub, tmp_path / "nowhere" / "all.tar")
    assert not list(tmp_path.glob(".backup-*"))
