"""What was measured, kept one file a script in `results/`, and told to people in RESULTS.md."""

import ast
import datetime
import json
import os
import platform
import subprocess
import timeit
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.measuring import ROOT, Figure
from bench.peers import lane

SCRIPTS = ROOT / "bench"
KEPT = SCRIPTS / "results"
PAGE = SCRIPTS / "RESULTS.md"
HEAD = """# Results

Written by `make bench` and `make bench-peers`; what each script claims, with the last run of it. Figures are least /
**median** / most of the rounds. *Volatile* is lost with the process, *process-crash-safe* with the power, *fsync before
ack* with the disk. A ratio is told only where both sides gave the right answer in every round. The first load is the
machine's before the script began. Machines that are shared differ by a factor of three from day to day: how long one
takes for ten million turns of an empty loop in Python stands beside its name (0.2 s is a quick one).
"""


@dataclass(frozen=True)
class Script:
    """A module of `bench/` that says what it claims."""

    name: str
    claim: str
    peers: bool
    """it installs and runs peers: left out of the short run"""
    long: tuple[str, ...] = ()
    """its arguments in the long run"""


def scripts(folder: Path = SCRIPTS) -> list[Script]:
    """All modules with a CLAIM, found without importing them; PEERS says that they need peers, LONG how long."""
    found = []
    for path in sorted(folder.glob("*.py")):
        said = constants(path)
        if "CLAIM" in said:
            long = tuple(str(said.get("LONG", "")).split())
            found.append(Script(path.stem, str(said["CLAIM"]), bool(said.get("PEERS")), long))
    return found


def constants(path: Path) -> dict[str, Any]:
    """CLAIM, PEERS and LONG of a module, as far as it has them."""
    lines = [node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.Assign)]
    named = {line.targets[0].id: line.value for line in lines if isinstance(line.targets[0], ast.Name)}
    return {name: ast.literal_eval(named[name]) for name in ("CLAIM", "PEERS", "LONG") if name in named}


def machine() -> str:
    """What the figures depend on; no names of hosts."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, {system}; {pace():.2f} s for 10 million bare turns"


def pace() -> float:
    """Seconds that 10 million turns of a loop in plain Python take: shared machines are not always as fast."""
    return min(timeit.repeat("for _ in turns: pass", "turns = range(10_000_000)", number=1, repeat=3))


def revision() -> str:
    """Which Cheng was measured: its commit, and whether something was changed since."""
    words = ["git", "describe", "--always", "--dirty=, changed"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return f"Cheng {metadata.version('cheng')} ({done.stdout.strip() or 'no commit'})"


def keep(script: Script, output: str) -> None:
    """Keeps the figures and comparisons that a script printed; one that told none keeps what it had."""
    told = [line for line in output.splitlines() if line.startswith(("FIGURE ", "COMPARISON "))]
    if not told:
        return
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    kept = {
        "claim": script.claim,
        "day": day,
        "machine": f"{revision()} on {machine()}",
        "figures": [json.loads(line.removeprefix("FIGURE ")) for line in told if line.startswith("F")],
        "comparisons": [json.loads(line.removeprefix("COMPARISON ")) for line in told if line.startswith("C")],
    }
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{script.name}.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")


def write() -> None:
    """RESULTS.md from what is kept of the scripts that there are."""
    kept = {}
    for script in scripts():
        path = KEPT / f"{script.name}.json"
        if path.is_file():
            kept[script.name] = json.loads(path.read_bytes())
    rows = ["", "| script | claim | goals |", "|---|---|---|", *(summary(name, said) for name, said in kept.items())]
    sections = [section(name, said) for name, said in kept.items()]
    PAGE.write_text(HEAD + "\n".join(rows) + "\n" + "".join(sections), "utf-8")


def summary(name: str, said: dict[str, Any]) -> str:
    held = [bool(figure["holds"]) for figure in said["figures"]]
    held += [lane.told(line).holds for line in said["comparisons"]]
    state = "reached" if all(held) else f"**{held.count(False)} of {len(held)} missed**"
    return f"| [`{name}`](#{name}) | {said['claim']} | {state} |"


def section(name: str, said: dict[str, Any]) -> str:
    parts = [f"\n## {name}", f"{said['claim']}. Measured on {said['day']}, {said['machine']}."]
    if said["figures"]:
        lines = [Figure(**figure).line() for figure in said["figures"]]
        parts.append("\n".join(["| claim | goal | measured | holds | remarks |", "|---|---|---|---|---|", *lines]))
    parts += [lane.told(line).text() for line in said["comparisons"]]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    write()
