"""`make bench`: all claims but those that need peers. `make bench-peers` (`--peers`): all. Or those of given names."""

import argparse
import subprocess
import sys

from bench import results


def run(script: results.Script, long: bool) -> bool:
    """Whether a script came to its end; what it told is printed, and kept."""
    print(f"\n## {script.name}: {script.claim}", flush=True)
    words = [sys.executable, "-m", f"bench.{script.name}", *(script.long if long else ())]
    told = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=results.ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told.append(line)
            if not line.startswith(("FIGURE ", "COMPARISON ")):
                print(line, end="", flush=True)
    if process.returncode == 0:
        results.keep(script, "".join(told))
    return process.returncode == 0


def main() -> None:
    words = argparse.ArgumentParser(prog="bench.run", description=__doc__)
    words.add_argument("names", nargs="*", help="scripts to run instead of all")
    words.add_argument("--peers", action="store_true", help="run those that need peers, too, and all of them long")
    asked = words.parse_args()
    known = results.scripts()
    if unknown := set(asked.names) - {script.name for script in known}:
        raise SystemExit(f"no script with a CLAIM is called {', '.join(sorted(unknown))}")
    chosen = [s for s in known if (s.name in asked.names if asked.names else asked.peers or not s.peers)]
    broken = [script.name for script in chosen if not run(script, asked.peers)]
    results.write()
    print(f"\nWritten down in {results.PAGE.relative_to(results.ROOT)}.")
    if broken:
        raise SystemExit(f"not finished: {', '.join(broken)}")


if __name__ == "__main__":
    main()
