"""What Lighthouse says of the pages that most people open first. Argument: rounds.

A phone is Lighthouse's own: 412 pixels, a slow 4G line and a core four times slower than this one, both reckoned from
what was seen. So what else runs on this machine, and how slow it is, counts four times: its benchmark index (1,000 or
more is what Lighthouse expects of a desktop) stands beside each figure.
"""

import json
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.demo_city import CHROMIUM, WITHOUT_A_SCREEN, City, city
from bench.measuring import Figure, folder, report
from bench.peers.lane import HOMES
from bench.peers.streams import is_there, now_there, run

CLAIM = "Lighthouse: ≥ 95 in performance, accessibility and best practices on the portal, the desk and a thing's page"
PEERS = True
LIGHTHOUSE = "12.8.2"
"""The last for Node 20."""
GOAL = 95
SLOW = "below an index of 1,000 the machine itself is what Lighthouse measures, a phone's core as a quarter of it"
CATEGORIES = {"performance": "performance", "accessibility": "accessibility", "best-practices": "best practices"}
PAGES = (
    ("portal", "/portal", ""),
    ("desk", "/desk?tab=department", "li.na"),
    ("thing's page", "/things/Cover/cover-00001", "li.na"),
)
SCREENS = {"phone": (), "desktop": ("--preset=desktop",)}


def installed() -> Path:
    """Where Lighthouse is, in a folder of its own."""
    home = HOMES / "lighthouse"
    if not is_there(home, LIGHTHOUSE):
        run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(home), f"lighthouse@{LIGHTHOUSE}"])
        now_there(home, LIGHTHOUSE)
    return home / "node_modules" / "lighthouse" / "cli" / "index.js"


def looked_at(script: Path, address: str, headers: Path, more: tuple[str, ...]) -> dict[str, Any]:
    """One report of Lighthouse, in a browser that has seen nothing yet."""
    said = run(
        [
            *("node", str(script), address, "--quiet", "--output=json", f"--extra-headers={headers}"),
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags=--headless=new {' '.join(WITHOUT_A_SCREEN)}",
            *more,
        ],
        more={"CHROME_PATH": str(CHROMIUM)},
    )
    found: dict[str, Any] = json.loads(said)
    if found["finalDisplayedUrl"] != address:
        raise SystemExit(f"{address} led to {found['finalDisplayedUrl']}")
    return found


def figures(script: Path, home: City, rounds: int) -> Iterator[Figure]:
    with folder() as room:
        for name, path, account in PAGES:
            headers = room / "headers.json"
            headers.write_text(json.dumps({"Cookie": "=".join(home.cookie(account))} if account else {}))
            for screen, more in SCREENS.items():
                found = [looked_at(script, home.url + path, headers, more) for _ in range(rounds)]
                note = remark(found)
                for key, text in CATEGORIES.items():
                    scores = [100 * float(one["categories"][key]["score"]) for one in found]
                    holds = statistics.median(scores) >= GOAL
                    claim = f"{name} on a {screen}: {text}"
                    yield Figure(claim, f"≥ {GOAL}", "of 100", scores, holds, note, why=SLOW if note else "")
                    note = ""


def remark(found: list[dict[str, Any]]) -> str:
    """What stands behind the performance: medians."""

    def middle(name: str) -> float:
        return statistics.median(one["audits"][name]["numericValue"] for one in found)

    index = statistics.median(one["environment"]["benchmarkIndex"] for one in found)
    painted = f"largest paint {middle('largest-contentful-paint') / 1000:.1f} s"
    return f"{painted}, blocked {middle('total-blocking-time'):.0f} ms; benchmark index {index:,.0f}"


def main(rounds: int = 3) -> None:
    if CHROMIUM is None or shutil.which("npm") is None or shutil.which("node") is None:
        print("Not measured: it needs Chromium, Node.js and npm on this machine.")
        return
    script = installed()
    with city() as home:
        report(*figures(script, home, rounds))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
