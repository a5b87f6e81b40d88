"""The machine: what /proc says in numbers, and a plain None where there is no /proc."""

import socket
from pathlib import Path

import psutil
import pytest

from cheng.infrastructure.machine import Machine, cores, place, share

STAT = "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 100 0 50 800 50 0 0 0 0 0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    folder = tmp_path / "proc"
    (folder / "self" / "fd").mkdir(parents=True)
    (folder / "stat").write_text(STAT)
    (folder / "meminfo").write_text("MemTotal:  8000 kB\nMemFree: 1000 kB\nMemAvailable:  6000 kB\n")
    (folder / "self" / "statm").write_text("1000 250 10 1 0 100 0\n")
    (folder / "uptime").write_text("86400.50 160000.00\n")
    return folder


def test_what_proc_says(tmp_path: Path, proc: Path) -> None:
    machine = Machine(tmp_path, proc)
    (proc / "stat").write_text(STAT.replace("100 0 50 800", "160 0 90 900"))
    look = machine.now()
    assert look.busy == pytest.approx(0.5)
    assert (look.memory, look.memory_used) == (8000 * 1024, 2000 * 1024)
    assert look.resident is not None
    assert look.resident % 250 == 0
    assert look.files == 0
    assert machine.machine_up == 86400.5
    assert machine.listening() == []


def test_a_system_without_proc_says_so_plainly(tmp_path: Path) -> None:
    machine = Machine(tmp_path, tmp_path / "nothing")
    look = machine.now()
    assert (look.busy, look.memory, look.memory_used, look.resident, look.files) == (None,) * 5
    assert look.disk > 0
    assert machine.machine_up is None
    assert machine.listening() is None
    told = {name for name, _, _, _ in machine.counters()}
    assert "cheng_disk_free_bytes" in told
    assert "cheng_hub_memory_bytes" not in told


@pytest.mark.parametrize("said", ["", "cpu", "garbage here", "cpu 1 2"])
def test_what_proc_should_not_say_does_no_harm(tmp_path: Path, proc: Path, said: str) -> None:
    (proc / "stat").write_text(said)
    (proc / "meminfo").write_text(said)
    assert Machine(tmp_path, proc).now().busy is None


def test_it_agrees_with_psutil(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    look = machine.now()
    if look.resident is None:
        pytest.skip("no /proc on this machine")
    process = psutil.Process()
    assert look.resident == pytest.approx(process.memory_info().rss, rel=0.2)
    assert look.memory == psutil.virtual_memory().total
    assert cores() == len(process.cpu_affinity())


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_where_this_process_listens(tmp_path: Path, family: int, host: str) -> None:
    try:
        listening = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"{host} is not there")
    with listening:
        port = listening.getsockname()[1]
        found = Machine(tmp_path).listening()
    if found is None:
        pytest.skip("no /proc on this machine")
    assert (host, port) in found


def test_addresses_are_written_last_byte_first() -> None:
    assert place("0100007F:1F40") == ("127.0.0.1", 8000)
    assert place("00000000000000000000000001000000:0050") == ("::1", 80)


def test_a_share_of_no_time_is_not_known() -> None:
    assert share(None, (1, 2)) is None
    assert share((1, 2), (1, 2)) is None
    assert share((10, 20), (5, 40)) == 0.0


def test_looks_are_kept_for_a_day(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.start()
    machine.stop()
    assert machine.day() == []
    assert machine.looks.maxlen == 1440
