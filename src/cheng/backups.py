"""Backup and restore: store, history and files of one moment in one archive, made while the hub goes on."""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cheng.hub import Hub
from cheng.infrastructure.progress import Progress
from cheng.infrastructure.settings import FILE as SETTINGS
from cheng.standards.problems import Refused

FORMAT = 1
STORE, HISTORY, LOG, BLOBS, MAP = "cheng.db", "history", "log", "blobs", "map"
BESIDE = (SETTINGS, "audit.key", "audit.seals", "demo.json")
"""What else may lie in the data folder and belongs to it."""
CONTENTS = "contents.json"
BLOCK = 1 << 20


def back_up(hub: Hub, file: Path, progress: Progress | None = None) -> dict[str, Any]:
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
    now, progress = hub.clock.now(), progress or Progress()
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
            made = Path(folder)
            progress.tell("Copying the store")
            log = hub.history.directory / LOG
            copy_files(log, made / "before")
            for name in BESIDE:  # before the store: no seal may speak of rows that the copy has not
                copy_files(hub.settings.data / name, made / name)
            hub.store.snapshot(made / STORE)
            progress.tell("Copying the history")
            hub.history.export(made / HISTORY)
            (made / "before").rename(made / HISTORY / LOG)
            copy_files(log, made / HISTORY / LOG)
            progress.tell("Copying photos and papers")
            copy_files(hub.blobs.folder, made / BLOBS)
            for source in hub.base_map.files():
                copy_files(source, made / MAP / source.name)
            contents = digests(made, progress)
            about = {"format": FORMAT, "at": now, "files": contents}
            (made / CONTENTS).write_text(json.dumps(about, indent=1), "utf-8")
            write_archive(made, [CONTENTS, *contents], file, progress)
    except OSError as error:
        values = {"file": str(file), "reason": error.strerror or str(error)}
        raise Refused("cannot-write", "{file} cannot be written: {reason}.", values, status=507) from error
    return {"file": str(file), "bytes": file.stat().st_size, "files": len(contents), "at": now}


def prove(file: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Reads a whole archive against its check sums: {"at", "files"}. Refused `not-whole`: it could not be restored."""
    progress, seen = progress or Progress(), 0
    progress.tell("Reading the archive")
    try:
        with tarfile.open(file) as archive:
            about: dict[str, Any] = json.loads(opened(archive, archive.next()).read())
            found: dict[str, str] = {}
            for part in archive:
                if part.name != CONTENTS:
                    found[part.name] = hashlib.file_digest(opened(archive, part), "sha256").hexdigest()
                    seen += part.size
                    progress.done(seen, file.stat().st_size)
        check(about, found.get)
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        values = {"file": str(file), "reason": str(error)}
        raise Refused("not-whole", "{file} cannot be restored: {reason}.", values, status=422) from error
    return {"at": about["at"], "files": len(about["files"])}


def opened(archive: tarfile.TarFile, part: tarfile.TarInfo | None) -> Any:
    """A file of an archive, to be read."""
    stream = archive.extractfile(part) if part is not None else None
    if stream is None:
        raise ValueError("something in it is no file")
    return stream


def needed(hub: Hub) -> int:
    """Bytes that a backup takes on the disk while it is made, about: copies of what changes, and the archive."""
    files = [file for file in hub.settings.data.glob(f"{STORE}*") if file.is_file()]
    copied = sum(file.stat().st_size for file in files)
    copied += sum(path.stat().st_size for path in hub.blobs.folder.rglob("*") if path.is_file())
    log = sum(path.stat().st_size for path in (hub.history.directory / LOG).rglob("*") if path.is_file())
    return 2 * (copied + log) + hub.history.bytes()


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
            check(about, lambda name: digest(fresh / name) if (fresh / name).is_file() else None)
            for part in sorted(fresh.iterdir()):
                if part.name != CONTENTS:
                    part.rename(folder / part.name)
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        values = {"file": str(file), "reason": str(error)}
        raise Refused("not-whole", "{file} cannot be restored: {reason}.", values, status=422) from error
    return {"at": about["at"], "files": len(about["files"])}


def check(about: dict[str, Any], found: Callable[[str], str | None]) -> None:
    """Raises ValueError when the files, by their check sums, are not those that were packed."""
    if about["format"] != FORMAT:
        raise ValueError(f"it is of format {about['format']}, this Cheng reads {FORMAT}")
    for name, wanted in about["files"].items():
        if found(name) != wanted:
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


def digests(folder: Path, progress: Progress) -> dict[str, str]:
    """SHA-256 of all files below a folder, by name."""
    progress.tell("Adding up check sums")
    names, found = files_below(folder), {}
    for number, name in enumerate(names):
        found[name] = digest(folder / name)
        progress.done(number, len(names))
    return found


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_archive(folder: Path, names: Sequence[str], file: Path, progress: Progress) -> None:
    """Packs the files; the archive appears under its name when it is whole and on the disk."""
    fresh = folder / "archive.tar"
    with os.fdopen(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as stream:
        with tarfile.open(fileobj=stream, mode="w", bufsize=BLOCK) as archive:
            progress.tell("Writing the archive")
            for number, name in enumerate(names):
                archive.add(folder / name, name, recursive=False)
                progress.done(number, len(names))
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
