"""`cheng` as people call it: a hub that comes up and goes down cleanly, files that load, mistakes said in a line."""

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cheng.cli import main, modules
from cheng.cli._progress import Progress

COVERS = "id,name,ward,depth,lon,lat\nc1,One,North,2,106.5,29.5\nc2,Two,South,2,106.6,29.6\nc3,Three,South,90,106,29\n"
TILTS = "id,time,tilt\n" + "".join(f"c1,2026-11-19 08:{m:02}:00,{24 if 10 <= m < 20 else 1}\n" for m in range(40))
CHENG = [sys.executable, "-c", "from cheng.cli import main; main()"]


def cheng(*words: Any, data: Path | None = None, code: int = 0) -> str:
    """Runs a command to its end; what it said on both channels."""
    asked = [*map(str, words), *(["--data", str(data)] if data else [])]
    said = io.StringIO()
    mask = os.umask(0o022)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["cheng", *asked])
        with pytest.raises(SystemExit) as ended:
            main()
    os.umask(mask)
    assert ended.value.code == code, said.getvalue()
    return said.getvalue()


@dataclass
class Running:
    process: "subprocess.Popen[str]"
    said: str

    @property
    def url(self) -> str:
        found = re.search(r"Pages +(\S+)", self.said)
        assert found is not None
        return found[1]

    def get(self, path: str) -> int:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # our own server
            return int(answer.status)

    def post(self, path: str, payload: bytes, token: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        request = urllib.request.Request(self.url + path, payload, headers)  # our own server
        with urllib.request.urlopen(request, timeout=10) as answer:  # our own server
            told: dict[str, Any] = json.loads(answer.read())
            return told


@contextlib.contextmanager
def up(data: Path, *words: str, by: int = signal.SIGTERM) -> Iterator[Running]:
    """A hub in a process of its own; it has to go down cleanly by a signal."""
    asked = [*CHENG, "up", "--data", str(data), "--port", "0", "--mqtt-port", "0", *words]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines: list[str] = []
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if line.startswith("Stop it"):
                    break
            else:
                pytest.fail("".join(lines) + (process.stderr.read() if process.stderr else ""))
            yield Running(process, "".join(lines))
            process.send_signal(by)
            said, complaints = process.communicate(timeout=30)
            assert process.returncode == 0, complaints
            assert "everything is written down" in said
            assert "Traceback" not in complaints
        finally:
            process.kill()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def covers(tmp_path: Path) -> Path:
    path = tmp_path / "covers.csv"
    path.write_text(COVERS, "utf-8")
    return path


@pytest.fixture
def tilts(tmp_path: Path) -> Path:
    path = tmp_path / "tilts.csv"
    path.write_text(TILTS, "utf-8")
    return path


# -- up


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_hub_comes_up_says_where_and_how_and_goes_down_cleanly(data: Path, by: int) -> None:
    with up(data, by=by) as hub:
        assert hub.get("/healthz") == 200
        assert hub.get("/readyz") == 200
        assert re.search(r"operator, password \S+-\S+", hub.said)
        assert "mqtt://127.0.0.1:" in hub.said
    with up(data) as hub:
        assert "password \\S+-" not in hub.said  # it was told once
    assert not (data / "running.json").exists()


def test_a_city_can_be_stopped_while_it_is_filled_and_is_filled_on_by_the_next_start(data: Path) -> None:
    city = ("--demo", "small", "--history", "1h")
    asked = [*CHENG, "up", "--data", str(data), "--port", "0", "--mqtt-port", "0", *city]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("thinking up" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "everything is written down" in said
    assert "ready after" not in said
    with up(data, *city) as hub:
        assert hub.get("/readyz") == 200


def test_progress_is_one_line_on_a_terminal_and_a_line_now_and_then_in_a_log() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    now = [0.0]
    for out, wanted in ((Terminal(), ["1", "3"]), (io.StringIO(), ["1"])):
        now[0] = 0.0
        progress = Progress(out, lambda: now[0])
        for text, at in (("1", 0.0), ("2", 0.1), ("3", 5.0)):
            now[0] = at
            progress(text)
        progress.end()
        assert re.findall(r"… (\d)", out.getvalue()) == wanted
        assert out.getvalue().count("\n") == (0 if out.isatty() else 1)


@pytest.mark.parametrize("past", ["soon", "0d", "-3d", "5min", "900d"])
def test_a_past_that_no_city_can_have_is_refused_in_a_sentence(data: Path, past: str) -> None:
    said = cheng("up", "--demo", "small", "--history", past, data=data, code=2)
    assert "'--history'" in said
    assert past in said
    assert "no length of time" in said or "between 1h and 366d" in said
    assert not data.exists()


def test_only_an_invented_city_has_a_past(data: Path) -> None:
    assert "say --demo small, district or city as well" in cheng("up", "--history", "3d", data=data, code=2)


def test_the_secret_that_a_hub_leaves_is_for_the_folders_owner_alone(data: Path) -> None:
    with up(data) as hub:
        file = data / "running.json"
        assert file.stat().st_mode & 0o777 == 0o600
        secret = json.loads(file.read_text())["secret"]
        assert secret not in hub.said


def test_it_listens_on_ipv6(data: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with up(data, "--host", "::") as hub:
        assert hub.url.startswith("http://[::1]:")
        assert hub.get("/healthz") == 200
        port = hub.url.rpartition(":")[2]
        with socket.create_connection(("127.0.0.1", int(port)), timeout=5):
            pass


def test_a_port_that_is_taken_is_said_in_a_sentence(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = cheng("up", "--port", port, "--mqtt-port", "0", data=data, code=2)
        assert f"port {port}: Address already in use" in said
        said = cheng("up", "--port", "0", "--mqtt-port", port, data=data, code=2)
        assert "choose another port with --mqtt-port" in said


def test_a_folder_that_cannot_be_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "S300 The data folder cannot be used" in cheng("up", data=tmp_path / "file" / "below", code=2)


def test_settings_that_do_not_hold_are_all_said(data: Path) -> None:
    data.mkdir()
    (data / "cheng.toml").write_text('prot = 8000\ntimezone = "Mars/Olympus"\n')
    said = cheng("up", data=data, code=2)
    assert "S201" in said
    assert "did you mean 'port'" in said
    assert "S202" in said


def test_a_folder_has_one_hub(data: Path) -> None:
    with up(data) as hub:
        said = cheng("up", "--port", "0", "--mqtt-port", "0", data=data, code=2)
        assert f"in use by the hub at {hub.url}" in said


def test_what_it_keeps_is_for_its_owner_alone(data: Path, covers: Path, tilts: Path) -> None:
    cheng("load", "Cover", covers, data=data)
    cheng("load", "readings", tilts, data=data)
    kept = [data, *data.rglob("*")]
    assert data / "cheng.db" in kept
    assert [path for path in kept if path.stat().st_mode & 0o077] == []


# -- what is given to it


def test_files_are_loaded_into_a_folder(data: Path, covers: Path, tilts: Path) -> None:
    said = cheng("load", "Cover", covers, data=data)
    assert "2 added, 1 refused" in said
    assert "line 4: 'depth' is 90" in said
    assert "2 as they were" in cheng("load", "Cover", covers, data=data)
    assert "40 taken" in cheng("load", "readings", tilts, data=data)
    assert "40 there already" in cheng("load", "readings", tilts, data=data)


def test_files_are_loaded_through_a_hub_that_runs(data: Path, covers: Path, tilts: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.tar"
    with up(data) as hub:
        assert f"The hub at {hub.url} runs" in cheng("load", "Cover", covers, data=data)
        assert "40 taken" in cheng("load", "readings", tilts, data=data)
        assert "40 there already" in cheng("load", "readings", tilts, data=data)
        said = cheng("try", "manhole_covers.displaced", "--since", "365d", "--threshold", "30", data=data)
        assert "  1 alerts of 1 things, over 40 readings" in said
        assert "tried: tilt > 30" in said
        assert "MB" in cheng("backup", archive, data=data)
        token = cheng("token", "importer", "--role", "operator", data=data).strip()
        line = b'{"id": "c9", "type": "Cover", "properties": {"ward": "North"}}'
        assert hub.post("/ingest/things", line, token)["added"] == 1
        said = cheng("load", "Cover", covers, "--url", hub.url, "--token", token)
        assert "2 as they were" in said
    with tarfile.open(archive) as packed:
        assert "cheng.db" in packed.getnames()


def test_a_device_gets_a_token_and_reports(data: Path, covers: Path) -> None:
    cheng("load", "Cover", covers, data=data)
    token = cheng("token", "crew-1", "--role", "device", "--things", "c1,c2", data=data).strip()
    assert token.startswith("cheng_")
    assert "already a token" in cheng("token", "crew-1", "--role", "device", "--prefix", "c", data=data, code=2)
    assert "which things" in cheng("token", "crew-2", "--role", "device", data=data, code=2)
    with up(data) as hub:
        told = hub.post("/ingest/observations", b'{"id":"c1","attr":"tilt","time":1795132800,"value":3}', token)
        assert told["accepted"] == 1


def test_a_person_gets_an_account_with_a_password_for_once(data: Path) -> None:
    said = cheng("user", "li.wei", "--role", "officer", "--department", "North drainage crew", data=data)
    assert re.search(r"choose one|chooses one of their own: \S+", said)
    assert "already an account" in cheng("user", "Li.Wei", "--role", "officer", data=data, code=2)
    assert cheng("user", "li.wei", "--reset", data=data) != said
    assert "no account named" in cheng("user", "wang", "--reset", data=data, code=2)
    assert "--role; or --reset" in cheng("user", "wang", data=data, code=2)


# -- backup and restore


def test_what_was_backed_up_comes_back(data: Path, covers: Path, tilts: Path, tmp_path: Path) -> None:
    cheng("load", "Cover", covers, data=data)
    cheng("load", "readings", tilts, data=data)
    archive, again = tmp_path / "all.tar", tmp_path / "again"
    cheng("backup", archive, data=data)
    assert "is there already" in cheng("backup", archive, data=data, code=2)
    assert "is not empty" in cheng("restore", archive, data=data, code=2)
    cheng("restore", archive, data=again)
    since = ("--since", "365d")
    assert cheng("try", "displaced", *since, data=again) == cheng("try", "displaced", *since, data=data)
    assert "40 there already" in cheng("load", "readings", tilts, data=again)


def test_a_damaged_archive_restores_nothing(data: Path, tmp_path: Path) -> None:
    cheng("user", "li.wei", "--role", "officer", data=data)
    archive, again = tmp_path / "all.tar", tmp_path / "again"
    cheng("backup", archive, data=data)
    packed = bytearray(archive.read_bytes())
    at = packed.find(b"SQLite format 3")
    packed[at + 200] ^= 0xFF
    archive.write_bytes(packed)
    assert "damaged" in cheng("restore", archive, data=again, code=2)
    assert list(again.iterdir()) == []
    archive.write_bytes(b"nothing of the kind")
    assert "cannot be restored" in cheng("restore", archive, data=again, code=2)


# -- grids


def test_grids_are_cut_from_the_streets_and_checked(data: Path, tmp_path: Path) -> None:
    areas = tmp_path / "areas.csv"
    outline = "POLYGON((120 30, 120.004 30, 120.004 30.004, 120 30.004, 120 30))"
    beside = "POLYGON((121 30, 121.001 30, 121.001 30.001, 121 30.001, 121 30))"
    areas.write_text(
        "id,name,level,code,wkt\n"
        f'area:c,Old Town,community,500112001002,"{outline}"\n'
        f'area:n,No Number,community,,"{beside}"\n'
    )
    assert "2 added" in cheng("load", "Area", areas, data=data)
    asked = ("grids", "cut", "--area", "Old Town", "--size", 20_000)
    said = cheng(*asked, data=data)
    assert "Old Town: 9 unit grids of" in said or "Old Town: 8 unit grids of" in said
    assert "shows no street here" in said
    assert "not yet in the register" in said
    assert "0 unit grids" in cheng("grids", "check", data=data, code=1)
    with up(data):  # the hub that runs does it then
        assert "in the register" in cheng(*asked, "--write", data=data)
    assert "0 gaps" in cheng("grids", "check", "--area", "500112001002", data=data)
    said = cheng("grids", "cut", "--write", data=data, code=1)
    assert "1 community has unit grids already" in said
    assert "No Number needs its code of 12 digits" in said
    assert "community without: No Number" in cheng("grids", "check", data=data, code=1)
    half = tmp_path / "half.csv"
    half.write_text(f'id,wkt\nunit:500112001002001,"{beside}"\n')
    assert "1 changed" in cheng("load", "Area", half, data=data)
    said = cheng("grids", "check", data=data, code=1)
    assert re.search(r"gap +[\d,]+ m² in Old Town at 120\.\d+,30\.\d+", said)
    assert "1 part outside" in said
    assert "no district, street or community 'Nowhere'" in cheng(
        "grids", "check", "--area", "Nowhere", data=data, code=2
    )


# -- what it tells


def test_every_command_says_what_it_does() -> None:
    said = cheng("--help")
    for name in modules():
        assert re.search(rf"^  {name} +\S", said, re.MULTILINE), name
        assert "Usage" in cheng(name, "--help")


def test_applications_are_told_in_two_languages() -> None:
    english = cheng("tell", "manhole_covers", "--lang", "en")
    assert "When tilt > 15 °, for 2 minutes without a break." in english
    assert "It is over when tilt < 5 °." in english
    chinese = cheng("tell", "city/manhole_covers")
    assert "且连续保持2分钟" in chinese
    assert "city/manhole_covers" in cheng("tell")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("dance",), "No such command 'dance'"),
        (("tell", "manhole_cover"), "did you mean 'city/manhole_covers'"),
        (("try", "displacd"), "There is no rule 'displacd'"),
        (("try", "displaced", "--since", "soon"), "no length of time"),
        (("grids", "cut", "--size", "10"), "not in the range"),
        (("load", "Covers", __file__), "did you mean 'Cover'"),
        (("load", "Cover", __file__, "--map", "x"), "write FIELD=COLUMN"),
        (("load", "Cover", __file__, "--url", "http://127.0.0.1:9"), "Say who you are"),
        (("load", "Cover", __file__, "--url", "ftp://x", "--token", "t"), "no address of a hub"),
        (("new", "bus_shelters"), "Write FAMILY/APP"),
        (("new", "cty/bus_shelters"), "did you mean 'city'"),
        (("new", "city/Bus"), "cannot be the name of an application"),
        (("new", "city/manhole_covers"), "There is already city/manhole_covers"),
        (("new", "city/shelters", "--thing", "Cover"), "already has a type 'Cover'"),
    ],
)
def test_a_mistake_is_said_with_its_mend(words: tuple[str, ...], sentence: str, data: Path) -> None:
    data_words = ("--data", str(data)) if words[0] in ("load", "try") else ()
    said = cheng(*words, *data_words, code=2)
    assert sentence in said
    assert words[0] == "new" or "?." not in said


def test_a_file_that_cannot_be_read_is_said_and_the_others_are_loaded(data: Path, covers: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.doc"
    odd.write_text("x")
    said = cheng("load", "Cover", odd, covers, data=data, code=1)
    assert "odd.doc: odd.doc is no CSV" in said
    assert "2 added" in said
