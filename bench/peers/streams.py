"""What the stream engines share: an environment of their own, a job in a process of its own, and its answer."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.measuring import folder
from bench.peers.lane import Outcome, digest

JOBS = Path(__file__).with_name("jobs")
PATIENCE = 1800
"""Seconds that a job may take."""


def python(home: Path) -> Path:
    """The Python of a peer's environment."""
    return home / "venv" / "bin" / "python"


def venv(home: Path, *pins: str, options: Sequence[str] = ()) -> None:
    """A virtual environment with these packages; nothing is done when they are there."""
    if is_there(home, *pins):
        return
    run([sys.executable, "-m", "venv", "--clear", str(home / "venv")])
    run([str(python(home)), "-m", "pip", "install", "-q", "--no-cache-dir", *options, *pins])
    now_there(home, *pins)


def is_there(home: Path, *pins: str) -> bool:
    """Whether `now_there` was said of the same things."""
    mark = home / "installed"
    return mark.is_file() and mark.read_text() == "\n".join(pins)


def now_there(home: Path, *pins: str) -> None:
    (home / "installed").write_text("\n".join(pins))


def run(words: Sequence[str], cwd: Path | None = None, more: Mapping[str, str] | None = None) -> str:
    """What a program says; its complaint as the error when it fails."""
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **(more or {})}, capture_output=True, text=True, timeout=PATIENCE
    )
    if done.returncode:
        raise RuntimeError(f"{Path(words[0]).name} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def lateness(inputs: Path) -> int:
    """Seconds that readings of a workload may be late: none in W1, 30 in W2."""
    return 30 if "malformed" in json.loads((inputs / "expected.json").read_bytes()) else 0


def job(
    words: Sequence[str], inputs: Path, late: int, *rest: str, more: Mapping[str, str] | None = None, note: str = ""
) -> Outcome:
    """Runs a job: `words`, the NDJSON, where the alerting things are to be written, the lateness and the `rest`.

    Its last line is JSON with seconds and cpu_seconds, and maybe a note.
    """
    with folder() as room:
        target = room / "alerts.txt"
        source = str(inputs / "obs.ndjson")
        said = run([*words, source, str(target), str(late), *rest], cwd=room, more={**UNWRITTEN, **(more or {})})
        return outcome(inputs, json.loads(said.splitlines()[-1]), target.read_text().split(), note)


UNWRITTEN = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Jobs lie in the repository; nothing is to lie beside them."""


def outcome(inputs: Path, told: Mapping[str, Any], things: list[str], note: str = "") -> Outcome:
    """The outcome of a job that told what it took and which things alerted, once for each alert."""
    expected = json.loads((inputs / "expected.json").read_bytes())
    due, raised = Counter((inputs / "alerts.txt").read_text().split()), Counter(things)
    missed, false = (due - raised).total(), (raised - due).total()
    remarks = [note, told.get("note", ""), f"{missed} missed, {false} false" if missed or false else ""]
    return Outcome(
        readings=expected["observations"],
        seconds=told["seconds"],
        cpu_seconds=told["cpu_seconds"],
        alerts=len(things),
        digest=digest(things),
        note=", ".join(filter(None, remarks)),
    )
