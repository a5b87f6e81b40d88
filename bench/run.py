"""All claims, short: what `make bench` prints."""

import json
import os
import platform
import subprocess
import sys

SCRIPTS = ("start", "mqtt_alert", "desk", "ingest_http")


def main() -> None:
    print(f"Python {platform.python_version()} on {os.cpu_count()} cores; least / **median** / most\n")
    print("| claim | goal | measured | holds | |\n|---|---|---|---|---|")
    failed = False
    for script in SCRIPTS:
        done = subprocess.run([sys.executable, "-m", f"bench.{script}"], stdout=subprocess.PIPE, text=True)
        failed |= done.returncode != 0
        for line in done.stdout.splitlines():
            if line.startswith("FIGURE "):
                failed |= not json.loads(line.removeprefix("FIGURE "))["holds"]
            else:
                print(line, flush=True)
    if failed:
        print("\nNot every claim held; the machine may be busy: look at its load.")


if __name__ == "__main__":
    main()
