"""`cheng grids`: how grids fit, and new ones cut from the streets."""

from pathlib import Path
from typing import Any, get_args

import click

from cheng.cli._house import data_option, errand, errands, settings_of
from cheng.infrastructure.grid_book import CLASSES, LEAST_SIZE, MOST_SIZE
from cheng.kernel.house import UNIT
from cheng.methods.grids import Kind
from cheng.methods.grids_cut import SIZE
from cheng.standards.problems import Refused

SHOWN = 20
"""Faults that are told one by one; the rest is counted. Communities that are named."""
COUNTED = {"gap": ("gap", "gaps"), "overlap": ("overlap", "overlaps"), "outside": ("part outside", "parts outside")}
area_option = click.option(
    "--area", default="", help="A district, street or community: its id, code or name.  [default: the whole city]"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Check the grids of the city, or cut unit grids from its streets where it has none."""


@command.command("check")
@area_option
@click.option("--class", "level", type=click.Choice(CLASSES), default=UNIT, show_default=True, help="Which grids.")
@click.option("--all", "every", is_flag=True, help=f"Tell every fault, not only the {SHOWN} largest.")
@data_option
def check_command(area: str, level: str, every: bool, data: Path | None) -> None:
    """Tell every gap, overlap and part outside, the largest first, and which communities have no such grids.

    The exit code is 1 when there is any.
    """
    told = errand(settings_of(data), "check grids", level=level, area=area)
    faults, without = told["faults"], told["without"]
    click.echo(f"{told['count']:,} {level}s{f' in {area}' if area else ''}")
    for fault in faults if every else faults[:SHOWN]:
        click.echo(f"  {told_fault(fault)}")
    for kind in get_args(Kind):
        sizes = [fault["square_metres"] for fault in faults if fault["kind"] == kind]
        click.echo(f"  {counted(len(sizes), *COUNTED[kind])}{f', {sum(sizes):,.0f} m² together' if sizes else ''}")
    if without:
        more = f" and {len(without) - SHOWN:,} more" if len(without) > SHOWN else ""
        number = counted(len(without), "community", "communities")
        click.echo(f"  {number} without: {', '.join(without[:SHOWN])}{more}")
    if faults or without:
        raise SystemExit(1)


def told_fault(fault: dict[str, Any]) -> str:
    """A gap, an overlap or a part outside: how large, where, and of which grids."""
    east, north = fault["at"]
    where = f" in {fault['parent']}" if fault["parent"] else ""
    grids = f": {', '.join(fault['codes'])}" if fault["codes"] else ""
    return f"{fault['kind']:<8}{fault['square_metres']:>10,.0f} m²{where} at {east:.5f},{north:.5f}{grids}"


def counted(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


@command.command("cut")
@area_option
@click.option(
    "--size",
    type=click.FloatRange(LEAST_SIZE, MOST_SIZE),
    default=SIZE,
    show_default=True,
    metavar="M²",
    help="About how large.",
)
@click.option("--write", is_flag=True, help="Take them into the register; without it they are only told.")
@data_option
def cut_command(area: str, size: float, write: bool, data: Path | None) -> None:
    """Cut the communities that have no unit grids along streets, railways and rivers of the base map.

    Communities that have unit grids stay as they are. The exit code is 1 when one could not be cut.
    """
    count = cut = failed = 0
    with errands(settings_of(data)) as ask:
        found = ask("communities", area=area)
        waiting = [one for one in found if not one["units"]]
        if not found:
            where = f"'{area}' has" if area else "The register has"
            raise click.UsageError(f"{where} no communities; load them first: cheng load Area FILE")
        if kept := len(found) - len(waiting):
            click.echo(f"{counted(kept, 'community has', 'communities have')} unit grids already.")
        for one in waiting:
            try:
                told = ask("cut grids", area=one["id"], size=size, write=write)
            except Refused as refused:
                click.echo(f"  {one['name']}: {refused}", err=True)
                failed += 1
                continue
            click.echo(f"  {one['name']}: {told_cut(told)}")
            count, cut = count + len(told["square_metres"]), cut + 1
    done = "in the register" if write else "not yet in the register; take them with --write"
    if cut:
        click.echo(
            f"{counted(count, 'unit grid', 'unit grids')} in {counted(cut, 'community', 'communities')}, {done}."
        )
    if failed:
        raise SystemExit(1)


def told_cut(told: dict[str, Any]) -> str:
    """How many grids, and how large."""
    areas = told["square_metres"]
    sizes = f"{areas[0]:,.0f} to {areas[-1]:,.0f} m², {areas[len(areas) // 2]:,.0f} in the middle"
    alone = "" if told["lines"] else "; the base map shows no street here, so only by size"
    return f"{counted(len(areas), 'unit grid', 'unit grids')} of {sizes}{alone}"
