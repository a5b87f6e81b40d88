"""`cheng load`: files into the register and into history."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from cheng.cli._house import data_option, hub_that_runs, opened_hub, poster, settings_of
from cheng.infrastructure.loader import load_model
from cheng.kernel.model import Model
from cheng.kernel.specs import did_you_mean
from cheng.loading import (
    ARTICLES,
    CASES,
    CLASSES,
    OSM,
    READINGS,
    RESPONSIBILITIES,
    CaseTable,
    ClassTable,
    Loaded,
    Taken,
    Target,
    load_articles,
    load_cases,
    load_classes,
    load_osm,
    load_readings,
    load_things,
)
from cheng.loading_targets import HereTarget, ThereTarget
from cheng.protocols.files import Reading
from cheng.protocols.files_articles import read_articles
from cheng.protocols.files_cases import CaseReading
from cheng.protocols.files_classes import limit_told, read_classes, read_responsibilities
from cheng.standards.problems import InputError, Refused

OTHERS = (READINGS, OSM, CLASSES, RESPONSIBILITIES, CASES, ARTICLES)
"""Kinds that are no types of things."""
SHOWN = 20
"""Refused rows that are told one by one; the rest by reason."""


@click.command()
@click.argument("kind")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="Which column says which field.")
@click.option("--crs", help="Coordinates of the file: WGS84, GCJ-02, BD-09, CGCS2000, EPSG:n.  [default: found out]")
@click.option("--encoding", help="Of text files: utf-8, gb18030 …  [default: found out]")
@click.option("--decimal", type=click.Choice([".", ","]), default=".", help="The decimal mark.  [default: .]")
@click.option("--mend", is_flag=True, help="Mend areas that cross themselves, where that changes next to nothing.")
@click.option("--thing", help="readings: the thing all of them are of, when no column says it.")
@click.option("--attr", help="readings: the attribute all of them are of, when no column says it.")
@click.option("--time-format", help="readings, cases: how times are written, as for strptime.")
@click.option("--zone", help="readings, cases: of times that name none, as America/New_York.  [default: the city's]")
@click.option("--flow", default="", help="classes, cases: the way of work that handles them.  [default: the only one]")
@click.option("--since", default="", metavar="DAY", help="classes: from when changes are in force.  [default: today]")
@click.option(
    "--limit", default="13 working days", help="classes, cases: where nothing says one.  [default: 13 working days]"
)
@click.option(
    "--yes", multiple=True, metavar="WORD", help="cases: what the file writes for yes.  [default: 1, yes, 是 …]"
)
@click.option("--system", default="", help="cases: whose numbers these are, where those of two systems could meet.")
@click.option("--url", help="A hub elsewhere: http://host:port.")
@click.option("--token", envvar="CHENG_TOKEN", help="The token for --url.  [env: CHENG_TOKEN]")
@data_option
def command(kind: str, files: tuple[Path, ...], pairs: tuple[str, ...], **said: Any) -> None:
    """Load FILES: things of type KIND, `readings`, `osm` for the base map, `classes`, `responsibilities`, `cases`,
    `articles`.

    CSV, GeoJSON, Shapefile and GeoPackage for things, CSV and Parquet for readings and cases, PBF and XML of
    OpenStreetMap for the base map, CSV and Signalen's JSON for classes, CSV and Markdown for articles of what agents
    know. A row that cannot be taken is told with line and reason and kept in the hub; loading a file again changes
    nothing.
    """
    model = load_model()
    if kind not in (*OTHERS, *model.entities):
        hint = did_you_mean(kind, [*model.entities, *OTHERS])
        raise Refused("no-kind", "There is no type of thing '{kind}' ({hint}).", {"kind": kind, "hint": hint})
    mapping = dict(map(pair, pairs))
    problems = 0
    with target_of(said) as (target, zone):
        zone = known_zone(said["zone"] or zone)
        for file in files:
            with Bar(file.name) as bar:
                try:
                    loaded = load(target, model, kind, file, mapping, zone, bar, said)
                except InputError as error:
                    bar.close()
                    click.echo(f"{file.name}: {error}", err=True)
                    problems += 1
                    continue
            tell(file, loaded, bar.seconds)
    if problems:
        raise SystemExit(1)


def load(
    target: Target,
    model: Model,
    kind: str,
    file: Path,
    mapping: dict[str, str],
    zone: str,
    bar: "Bar",
    said: dict[str, Any],
) -> Loaded:
    """Loads one file; InputError when it cannot be read at all."""
    if kind == OSM:
        return load_osm(target, file, bar)
    if kind == READINGS:
        how = Reading(
            zone=zone,
            thing=said["thing"],
            attr=said["attr"],
            time_format=said["time_format"],
            encoding=said["encoding"],
            crs=said["crs"] or "WGS84",
            decimal=said["decimal"],
        )
        return load_readings(target, file, mapping, bar, how)
    if kind == CASES:
        names = ("time_format", "encoding", "yes")
        reading = CaseReading(zone=zone, crs=said["crs"] or "WGS84", **{name: said[name] for name in names})
        table = CaseTable(said["flow"], limit_told(said["limit"]), said["system"], [])
        return load_cases(target, table, file, mapping, bar, reading)
    if kind == ARTICLES:
        return load_articles(target, file, read_articles(file, mapping, said["encoding"]), bar)
    if kind in (CLASSES, RESPONSIBILITIES):
        return load_tables(target, kind, file, mapping, bar, said)
    how_things = {name: said[name] for name in ("crs", "encoding", "mend", "decimal")}
    return load_things(target, model.entities[kind], file, mapping, bar, **how_things)


def load_tables(
    target: Target, kind: str, file: Path, mapping: dict[str, str], bar: "Bar", said: dict[str, Any]
) -> Loaded:
    """Loads a file of classes, or of who answers for them."""
    if kind == CLASSES:
        rows = read_classes(file, mapping, said["encoding"], limit_told(said["limit"]))
        return load_classes(target, ClassTable("classes", said["flow"], said["since"], []), file, rows, bar)
    rows = read_responsibilities(file, mapping, said["encoding"])
    table = ClassTable("responsibilities", said["flow"], said["since"], [])
    return load_classes(target, table, file, rows, bar)


def known_zone(name: str) -> str:
    """The name of a time zone; UsageError when nobody knows it."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.UsageError(f"--zone {name} is no time zone; write for example Asia/Shanghai") from None


def pair(text: str) -> tuple[str, str]:
    field, sign, column = text.partition("=")
    if not sign or not field or not column:
        raise click.UsageError(f"--map {text} is not understood; write FIELD=COLUMN, for example id=编号")
    return field.strip(), column.strip()


@contextmanager
def target_of(said: dict[str, Any]) -> Iterator[tuple[Target, str]]:
    """Where the rows go, and the time zone of times that name none."""
    settings = settings_of(said["data"])
    if said["url"]:
        if not said["token"]:
            raise click.UsageError("Say who you are: --token, or CHENG_TOKEN in the environment.")
        yield ThereTarget(poster(said["url"], said["token"])), settings.timezone
        return
    there = hub_that_runs(settings)
    if there is not None:
        click.echo(f"The hub at {there.url} runs on this folder; loading through it.")
        yield ThereTarget(poster(there.url, there.secret), local=True), settings.timezone
        return
    with opened_hub(settings) as hub:
        yield HereTarget(hub), settings.timezone


# -- what is told


class Bar:
    """How far a file has got: a bar where the number of its rows is known, else a count; on terminals only."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.began = time.perf_counter()
        self.drawn = 0.0
        self.shown = sys.stderr.isatty()

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def __call__(self, rows: int, total: int, taken: Taken) -> None:
        if not self.shown or self.seconds - self.drawn < 0.1:
            return
        self.drawn = self.seconds
        part = min(rows / total, 1.0) if total else 0.0
        bar = f"[{'#' * round(part * 30):<30}] {part:4.0%}" if total else ""
        click.echo(
            f"\r{self.name} {bar} {rows:>12,} rows, {rows / max(self.seconds, 0.001):,.0f}/s ", nl=False, err=True
        )

    def close(self) -> None:
        if self.shown and self.drawn:
            click.echo("\r\x1b[K", nl=False, err=True)
        self.shown = False


WORDS = {
    "added": "added",
    "changed": "changed",
    "unchanged": "as they were",
    "accepted": "taken",
    "marked": "marked",
    "known": "there already",
    "drawn": "on the map",
}


def tell(file: Path, loaded: Loaded, seconds: float) -> None:
    """What became of a file."""
    counts = [f"{loaded.counts[name]:,} {word}" for name, word in WORDS.items() if loaded.counts[name]]
    agrees, disagrees = loaded.counts["agrees"], loaded.counts["disagrees"]
    total = sum(loaded.counts.values()) - loaded.counts["marked"] - agrees - disagrees
    refused = f", {len(loaded.refused):,} refused" if loaded.refused else ""
    pace = f" in {seconds:.1f} s ({total / max(seconds, 0.001):,.0f}/s)"
    click.echo(f"{file.name}: {', '.join(counts) or 'nothing'}{refused}{pace}")
    if agrees + disagrees:
        both = agrees + disagrees
        click.echo(f"  in time as the file says: {agrees:,} of {both:,} that were closed and had a limit")
    if loaded.left_out:
        click.echo(f"  not known here, left out: {', '.join(loaded.left_out)}")
    for error in loaded.refused[:SHOWN]:
        click.echo(f"  {error}")
    rest = Counter(error.code for error in loaded.refused[SHOWN:])
    for code, count in rest.most_common():
        click.echo(f"  {count:,} more: {code}")
