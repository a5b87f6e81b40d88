"""The arithmetic behind every figure we print: when a ratio may be told, and what it says."""

import json
import re
import socket
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import pytest

from bench import measuring, results
from bench.measuring import Durability, Figure, cpu_of_children, cpu_seconds, spread
from bench.peers import feeding, lane, mqtt_raw
from bench.peers.audience import Audience
from bench.peers.lane import Comparison, Expected, Outcome, Side

DUE = Expected(3, lane.digest(["b", "a", "a"]))


def side(
    name: str,
    *seconds: float,
    alerts: int | None = 3,
    digest: str | None = DUE.digest,
    durability: Durability = "fsync before ack",
) -> Side:
    return Side(name, durability, "1.0", [Outcome(1_000_000, s, 2 * s, alerts, digest) for s in seconds])


def test_a_ratio_is_of_medians() -> None:
    compared = Comparison("claim", DUE, [side("ours", 1, 2, 9), side("theirs", 4, 4, 1)], {"theirs": 2})
    assert compared.ratio(compared.sides[1]) == 2
    assert compared.sides[0].cpu_per_million == 4
    assert compared.holds
    assert "**2×** of 2×" in compared.text()
    assert "111,111 / **500,000** / 1,000,000" in compared.text()


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        (side("ours", 1), side("theirs", 2, alerts=2), "2 alerts where 3 are due"),
        (side("ours", 1), side("theirs", 2, digest=lane.digest(["a", "b", "b"])), "another answer"),
        (side("ours", 1), side("theirs", 2, digest=None), "no answer to compare"),
        (side("ours", 1, alerts=4), side("theirs", 2), "ours does not count"),
        (side("ours", 1), Side("theirs", "volatile", failure="cannot be installed here: no network"), "no network"),
        (side("ours", 1), side("theirs"), "not measured"),
        (side("ours", 1, durability="volatile"), side("theirs", 2), "ours is volatile, theirs is not"),
    ],
)
def test_no_ratio_where_a_side_disagrees(ours: Side, theirs: Side, why: str) -> None:
    compared = Comparison("claim", DUE, [ours, theirs], {"theirs": 0.1})
    assert compared.ratio(theirs) is None
    assert why in compared.text()
    assert "×**" not in compared.text()


def test_one_wrong_round_is_enough() -> None:
    theirs = side("theirs", 1, 1, 1)
    theirs.outcomes[1].alerts = 2
    assert Comparison("claim", DUE, [side("ours", 1), theirs]).ratio(theirs) is None


def test_a_side_that_does_not_judge_agrees_by_what_it_stored() -> None:
    theirs = side("theirs", 2, alerts=None)
    assert Comparison("claim", DUE, [side("ours", 1), theirs]).ratio(theirs) == 2


def test_a_missed_goal_says_so_with_its_reason() -> None:
    compared = Comparison("claim", DUE, [side("ours", 1), side("theirs", 2)], {"theirs": 4}, why="the disk is slow")
    assert not compared.holds
    assert "**missed**" in compared.text()
    assert "the disk is slow" in compared.text()
    figure = Figure("claim", "≥ 2", "s", [1.0], False, why="the disk is slow")
    assert "| **missed** | the disk is slow |" in figure.line()


def test_our_own_wrong_answer_is_a_miss() -> None:
    assert not Comparison("claim", DUE, [side("ours", 1, alerts=2), side("theirs", 2)]).holds


def test_a_comparison_can_be_told_again() -> None:
    compared = Comparison("claim", DUE, [side("ours", 1), side("theirs", 2)], {"theirs": 4})
    assert lane.told(json.loads(json.dumps(asdict(compared)))) == compared


class Half:
    """A peer whose second round fails."""

    name = "Half"
    durability: Durability = "volatile"

    def __init__(self) -> None:
        self.rounds = 0

    def prepare(self, home: Path) -> None:
        assert home.is_dir()

    def version(self) -> str:
        return "0.5"

    def run(self, folder: Path) -> Outcome:
        self.rounds += 1
        if self.rounds == 2:
            raise RuntimeError("out of memory")
        return Outcome(10, 1, 1, 3, DUE.digest)


class Whole(Half):
    name = "Whole"

    def run(self, folder: Path) -> Outcome:
        return Outcome(20, 1, 1, 3, DUE.digest)


def test_a_peer_that_fails_is_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "HOMES", tmp_path)
    ours, theirs = lane.interleaved([Whole(), Half()], tmp_path, 3)
    assert len(ours.outcomes) == 3
    assert ours.cold == 20
    assert theirs.failure == "failed: out of memory"
    assert Comparison("claim", DUE, [ours, theirs]).ratio(theirs) is None


def test_spread_shows_least_median_and_most() -> None:
    assert spread([3.0, 1.0, 2.0]) == "1 / **2** / 3"
    assert spread([1234567.8]) == "1,234,568 / **1,234,568** / 1,234,568"


def test_cpu_seconds_count_children_that_have_ended() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    parent = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {burn!r}]); print('x', flush=True)"
    before = cpu_of_children()
    with subprocess.Popen(
        [sys.executable, "-c", f"{parent}; time.sleep(60)"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 0.2 <= cpu_seconds(process.pid) < 2
        process.terminate()
        process.wait()
    assert cpu_of_children() - before >= 0.01


# -- what is kept


def test_scripts_are_found_by_their_claim(tmp_path: Path) -> None:
    (tmp_path / "fast.py").write_text('CLAIM = "It is " "fast"\nPEERS = True\nLONG = "--seconds 60"\nimport nowhere\n')
    (tmp_path / "plain.py").write_text('CLAIM = "It is there"\n')
    (tmp_path / "helper.py").write_text("def help(): ...\n")
    fast, plain = results.scripts(tmp_path)
    assert fast == results.Script("fast", "It is fast", True, ("--seconds", "60"))
    assert plain == results.Script("plain", "It is there", False)


def test_everything_that_tells_figures_has_a_claim() -> None:
    claimed = {script.name for script in results.scripts()}
    telling = re.compile(r"^\s+(report|tell)\(", re.MULTILINE)
    files = [p for p in results.SCRIPTS.glob("*.py") if p.stem not in ("measuring", "results")]
    assert not [path.name for path in files if telling.search(path.read_text("utf-8")) and path.stem not in claimed]


def test_the_page_is_written_from_what_scripts_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "KEPT", tmp_path / "results")
    monkeypatch.setattr(results, "PAGE", tmp_path / "RESULTS.md")
    measuring.report(
        Figure("soon", "≤ 1 s", "s", [0.5], True), Figure("small", "≤ 1 MB", "MB", [2.0], False, why="big")
    )
    lane.tell(Comparison("side by side", DUE, [side("ours", 1), side("theirs", 2)], {"theirs": 1}))
    desk = next(script for script in results.scripts() if script.name == "desk")
    results.keep(desk, capsys.readouterr().out)
    results.write()
    results.keep(desk, "nothing was told, and nothing is forgotten\n")
    results.write()
    page = results.PAGE.read_text("utf-8")
    assert "| [`desk`](#desk)" in page
    assert "**1 of 3 missed**" in page
    assert "big; load" in page
    assert "**2×** of 1×" in page


@pytest.mark.slow
@pytest.mark.parametrize(("script", "how_much"), [("evaluation", (2000, 1)), ("urban_month", (60,)), ("grids", ())])
def test_a_script_still_fits_what_it_measures(
    script: str, how_much: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    import_module(f"bench.{script}").main(*how_much)
    assert "FIGURE " in capsys.readouterr().out


# -- what feeds and listens


def test_what_is_due_is_what_a_store_would_say(tmp_path: Path) -> None:
    (tmp_path / "obs.csv").write_text("a,1700000000000,1.10\nb,1700000000001,2.25\na,1700000010000,3.00\n")
    assert feeding.due(tmp_path, 2) == feeding.stored([("b", 2, 4.5), ("a", 4, 8.2)])
    assert feeding.due(tmp_path, 2) != feeding.stored([("b", 2, 4.5), ("a", 4, 8.21)])


def test_a_connection_has_things_of_its_own_and_sends_them_in_order(tmp_path: Path) -> None:
    lines = [f"AirQualityObserved:{n % 4:05d},1700000{n:06d},1\n" for n in range(10)]
    (tmp_path / "obs.csv").write_text("".join(lines))
    even, odd = feeding.deliveries(tmp_path / "obs.csv", 2, 3, lambda delivery: delivery)
    assert b"".join(even(0)).decode() == "".join(lines[::2])
    assert b"".join(odd(1)).decode() == "".join(line.replace("1700000", "1700001") for line in lines[1::2])
    assert [delivery.count(b"\n") for delivery in even(0)] == [3, 2]


def test_every_delivery_to_every_listener_is_counted_even_in_pieces() -> None:
    pairs = [socket.socketpair() for _ in range(3)]

    def speak(number: int) -> None:
        for speaker, _ in pairs:
            speaker.sendall(b"x" * number + b"event: al")
            speaker.sendall(b"ert\n")

    audience = Audience([listener for _, listener in pairs], b"event: alert", [])
    audience.paced(speak, 1000, 5)
    assert len(audience.waits) == 15
    assert audience.saturated(speak, 2, 0.05, 200) > 0
    assert len(audience.waits) % 3 == 0
    for pair in pairs:
        for sock in pair:
            sock.close()


def test_packets_of_mqtt_say_their_length() -> None:
    assert mqtt_raw.publish("a", b"x", 258) == b"\x32\x06\x00\x01a\x01\x02x"
    assert mqtt_raw.publish("a", b"x" * 200)[:3] == b"\x30\xcb\x01"
