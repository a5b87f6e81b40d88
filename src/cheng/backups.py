"""Backup and restore: store, history and files of one moment in one archive, made while the hub goes on."""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from cheng.hub import Hub
from cheng.infrastructure.settings import FILE as SETTINGS
from cheng.standards.problems import Refused

FORMAT = 1
STORE, HISTORY, LOG, BLOBS, MAP = "cheng.db", "history", "log", "blobs", "map"
BESIDE = (SETTINGS, "audit.key", "audit.seals", "demo.json")
"""What else may lie in the data folder and belongs to it."""
CONTENTS = "contents.json"
BLOCK = 1 << 20


def back_up(hub: Hub, file: Path) -> dict[str, Any]:
    """Writes the archive `file` (tar) and says what is in it: {"file", "bytes", "files", "at"}.

    The log of history is copied before the store and again after the history: so whatever the store's checkpoint
    has not judged yet is in the archive and is judged when it is restored, and no alert is lost or raised twice.
    Refused when the file is there already or cannot be written, or the store is PostgreSQL.
    """
    file = file.absolute()
    if file.exists():
        raise Refused("there-already", "{file} is there already; name another file.", {"file": str(file)})
    if hub.store.dialect != "sqlite":
        raise Refused("not-here", "The store is PostgreSQL: back it up with pg_dump, and copy the data folder.")
    now = hub.clock.now()
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
            made = Path(folder)
            log = hub.history.directory / LOG
            copy_files(log, made / "before")
            for name in BESIDE:  # before the store: no seal may speak of rows that the copy has not
                copy_files(hub.settings.data / name, made / name)
            hub.store.snapshot(made / STORE)
            hub.history.export(made / HISTORY)
            (made / "before").rename(made / HISTORY / LOG)
            copy_files(log, made / HISTORY / LOG)
            copy_files(hub.blobs.folder, made / BLOBS)
            for source in hub.base_map.files():
                copy_files(source, made / MAP / source.name)
            contents = {name: digest(made / name) for name in files_below(made)}
            about = {"format": FORMAT, "at": now, "files": contents}
            (made / CONTENTS).write_text(json.dumps(about, indent=1), "utf-8")
            write_archive(made, [CONTENTS, *contents], file)
    except OSError as error:
        values = {"file": str(file), "reason": error.strerror or str(error)}
        raise Refused("cannot-write", "{file} cannot be written: {reason}.", values, status=507) from error
    return {"file": str(file), "bytes": file.stat().st_size, "files": len(contents), "at": now}


def restore(file: Path, folder: Path) -> dict[str, Any]:
    """Unpacks an archive into an empty or new folder, which a hub then opens: {"at", "files"}.

    Refused when the folder holds anything, or the archive is none, or not whole; the folder stays empty then.
    """
    if folder.exists() and any(folder.iterdir()):
        message = "{folder} is not empty; restore into a new folder, so that nothing is lost."
        raise Refused("not-empty", message, {"folder": str(folder)})
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as unpacked:
            fresh = Path(unpacked)
            with tarfile.open(file) as archive:
                archive.extractall(fresh, filter="data")
            about = json.loads((fresh / CONTENTS).read_text("utf-8"))
            check(fresh, about)
            for part in sorted(fresh.iterdir()):
                if part.name != CONTENTS:
                    part.rename(folder / part.name)
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        values = {"file": str(file), "reason": str(error)}
        raise Refused("not-whole", "{file} cannot be restored: {reason}.", values, status=422) from error
    return {"at": about["at"], "files": len(about["files"])}


def check(folder: Path, about: dict[str, Any]) -> None:
    """Raises ValueError when the unpacked files are not those that were packed."""
    if about["format"] != FORMAT:
        raise ValueError(f"it is of format {about['format']}, this Cheng reads {FORMAT}")
    for name, wanted in about["files"].items():
        if not (folder / name).is_file() or digest(folder / name) != wanted:
            raise ValueError(f"{name} in it is damaged")


# -- files


def copy_files(source: Path, target: Path) -> None:
    """Copies a file with its mode, or a folder, as far as it is there; what goes meanwhile was not needed any more."""
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy(source, target)
        except FileNotFoundError:
            return
    elif source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for part in sorted(source.iterdir()):
            copy_files(part, target / part.name)


def files_below(folder: Path) -> list[str]:
    """Names of all files, relative, with slashes."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_archive(folder: Path, names: list[str], file: Path) -> None:
    """Packs the files; the archive appears under its name when it is whole and on the disk."""
    fresh = folder / "archive.tar"
    with os.fdopen(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as stream:
        with tarfile.open(fileobj=stream, mode="w", bufsize=BLOCK) as archive:
            for name in names:
                archive.add(folder / name, name, recursive=False)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
