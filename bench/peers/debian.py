"""Programs of Debian's archive, unpacked into a folder: nothing is installed, nothing of the system is touched."""

import os
import shutil
import subprocess
from pathlib import Path


def unpack(home: Path, *packages: str) -> Path:
    """The root folder that packages were unpacked into, fetched by apt from the archive the machine is set to."""
    root = home / "root"
    fetched = home / "packages"
    if root.is_dir():
        return root
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise RuntimeError("apt-get and dpkg-deb are needed")
    shutil.rmtree(fetched, ignore_errors=True)
    fetched.mkdir(parents=True)
    done = subprocess.run(["apt-get", "download", "-q", *packages], cwd=fetched, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"apt-get download {' '.join(packages)}: {done.stderr.strip()[-300:]}")
    unfinished = home / ".root"
    shutil.rmtree(unfinished, ignore_errors=True)
    for package in sorted(fetched.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(unfinished)], check=True)
        name, number = (said(["dpkg-deb", "-f", str(package), field]) for field in ("Package", "Version"))
        (unfinished / f"{name}.version").write_text(number)
    shutil.rmtree(fetched)
    unfinished.rename(root)
    return root


def surroundings(root: Path) -> dict[str, str]:
    """The environment variables for a program of `root` that finds its libraries there first."""
    places = [str(path) for path in (*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu"))]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(places)}


def version(root: Path, package: str) -> str:
    """What the archive calls the version of a package that was unpacked."""
    return f"{package} {(root / f'{package}.version').read_text()}"


def said(words: list[str], **how: object) -> str:
    """The first line a program prints, such as its version."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]  # Popen's
    return (done.stdout + done.stderr).strip().splitlines()[0]
