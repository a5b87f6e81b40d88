"""Other people's clients of Open311: one that reads (georeport), one that also files (three, ten years older)."""

import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from georeport import GeoReport
from report_town import HERE, PHOTO, Town, open_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path) as opened:
        yield opened


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client as it is, in a Python that still had `itertools.ifilter`."""
    monkeypatch.setattr(itertools, "ifilter", filter, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("three.core")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_reader_finds_services_and_requests(town: Town, form: str) -> None:
    number = town.files()
    town.files(service_code="E0301", description="Loud.")
    client = GeoReport(f"{town.url}/open311/v2", output_format=form)
    assert [each["service_code"] for each in client.get_service_list()] == ["C0201", "E0301"]
    definition = client.get_service_definition("C0201")
    attributes = definition["attributes"]["attribute"] if form == "xml" else definition["attributes"]
    assert attributes[0]["code"] == "condition"
    assert len(client.get_service_requests(start_date="2026-11-01T00:00:00Z", status="open")) == 2
    assert str(client.get_service_requests(service_code="C0201", end_date="2026-12-01T00:00:00Z")).count(number) == 1
    assert number in str(client.get_service_request(number))


def test_a_client_files_a_request_with_a_photo_and_follows_it(town: Town, three: Any, tmp_path: Path) -> None:
    (tmp_path / "lamp.jpg").write_bytes(PHOTO)
    client = three.Three(f"{town.url}/open311/v2", api_key=town.key)
    assert client.discovery()["endpoints"][0]["url"] == f"{town.url}/open311/v2"
    code = client.services()[0]["service_code"]
    with (tmp_path / "lamp.jpg").open("rb") as photo:
        told = client.post(
            code, lat=HERE[1], long=HERE[0], name="Min Zhou", description="The lamp is out.", media=photo
        )
    number = told[0]["service_request_id"]
    assert client.request(number)[0]["status"] == "open"
    assert town.counted() == (1, 1, 1, 1, 1)
    town.act(number, "complete")
    town.act(number, "move", department="Hearing office", reason="nearer")
    town.act(number, "complete")
    assert client.request(number)[0]["status"] == "closed"
    assert [each["service_request_id"] for each in client.requests(status="closed")] == [number]
    assert client.token(number) == [{"service_request_id": number, "token": number}]


def test_a_client_with_a_forged_key_is_told_so(town: Town, three: Any) -> None:
    client = three.Three(f"{town.url}/open311/v2", api_key="forged")
    (told,) = client.post("C0201", lat=HERE[1], long=HERE[0], description="The lamp is out.")
    assert told["code"] == 403
    assert client.post_response.status_code == 403
    assert town.counted()[0] == 0
