"""Other cities in the settings: every mistake in a sentence, and no key anywhere but where it is needed."""

import json
from pathlib import Path
from typing import Any

import pytest

from cheng.infrastructure.neighbours import Neighbour
from cheng.infrastructure.settings import Settings
from cheng.standards.problems import SpecError

SECRET = "s3cret-key"
GOOD = f"""
[[neighbours]]
name = "江北区"
url = "https://jiangbei.example/open311/v2/"
jurisdiction_id = "jiangbei.example"
api_key = "{SECRET}"
services = {{ E0102 = "rubbish" }}

[[neighbours]]
name = "Power Company"
url = "http://10.0.0.7:8080/georeport/v2"
allow_http = true
"""


def test_what_is_written_is_there(tmp_path: Path) -> None:
    (tmp_path / "cheng.toml").write_text(GOOD, "utf-8")
    settings = Settings.load(tmp_path, {})
    first, second = settings.neighbours
    assert (first.name, first.url, first.jurisdiction) == (
        "江北区",
        "https://jiangbei.example/open311/v2",
        "jiangbei.example",
    )
    assert (first.key, dict(first.services)) == (SECRET, {"E0102": "rubbish"})
    assert second == Neighbour("Power Company", "http://10.0.0.7:8080/georeport/v2")
    assert SECRET not in repr(settings)


def test_a_key_may_lie_in_a_file_or_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n")
    rows = [
        {"name": "A", "url": "https://a.example/v2", "api_key_file": str(file)},
        {"name": "B", "url": "https://b.example/v2", "api_key_env": "B_KEY"},
    ]
    env = {"CHENG_NEIGHBOURS": json.dumps(rows), "B_KEY": "other"}
    assert [each.key for each in Settings.load(tmp_path, env).neighbours] == [SECRET, "other"]
    with pytest.raises(SpecError) as error:
        Settings.load(tmp_path, {"CHENG_NEIGHBOURS": json.dumps([{**rows[0], "api_key_file": "/no/such"}, rows[1]])})
    assert [(each.code, each.place) for each in error.value.problems] == [("S204", "neighbours")] * 2
    assert "/no/such cannot be read: No such file" in str(error.value)
    assert "the variable B_KEY holds no key" in str(error.value)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"url": "https://a.example"}, "neighbour 1 needs a name"),
        ({"name": "A"}, "url is the address of its Open311"),
        ({"name": "A", "url": "file:///etc/passwd"}, "url begins with https://"),
        ({"name": "A", "url": "http://a.example/v2"}, "allow_http = true takes it anyway"),
        ({"name": "A", "url": "https://"}, "names a host"),
        ({"name": "A", "url": f"https://user:{SECRET}@a.example"}, "no password"),
        ({"name": "A", "url": "https://a.example/v2?key=1"}, "an address alone"),
        ({"name": "A", "url": "https://a.example:port/"}, "cannot be read"),
        ({"name": "A", "url": "https://a.example", "api_kye": SECRET}, "did you mean 'api_key'?"),
        ({"name": "A", "url": "https://a.example", "api_key": 7}, "write api_key in quotes"),
        ({"name": "A", "url": "https://a.example", "services": ["x"]}, "services as a table"),
        ({"name": "A", "url": "https://a.example", "api_key": SECRET, "api_key_env": "X"}, "give its key once"),
        ({"name": "A", "url": "https://a.example", "api_key_file": "key"}, "the whole path"),
        ({"name": "A", "url": "https://a.example", "allow_http": "yes"}, "allow_http is true or false"),
    ],
)
def test_a_mistake_is_said_and_no_key_with_it(tmp_path: Path, row: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as error:
        Settings.load(tmp_path, {"CHENG_NEIGHBOURS": json.dumps([{**row}])})
    (problem,) = error.value.problems
    assert (problem.code, problem.place) == ("S202", "CHENG_NEIGHBOURS")
    assert sentence in problem.hint
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("text", ["{", '{"name": "A"}', "[1]", "7"])
def test_what_is_no_list_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(SpecError, match="neighbours"):
        Settings.load(tmp_path, {"CHENG_NEIGHBOURS": text})


def test_two_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "cheng.toml").write_text(GOOD.replace("Power Company", "江北区"), "utf-8")
    with pytest.raises(SpecError, match="two are called '江北区'"):
        Settings.load(tmp_path, {})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_this_machine_itself_needs_no_https(tmp_path: Path, host: str) -> None:
    rows = [{"name": "A", "url": f"http://{host}:8001/open311/v2"}]
    assert Settings.load(tmp_path, {"CHENG_NEIGHBOURS": json.dumps(rows)}).neighbours[0].url == rows[0]["url"]
