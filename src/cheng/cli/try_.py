"""`cheng try`: what a rule would have done."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from cheng.cli._house import data_option, errand, settings_of, span_of
from cheng.errands import rule_of
from cheng.infrastructure.loader import load_model
from cheng.kernel.dry_runs import constants

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@click.command()
@click.argument("rule")
@click.option(
    "--since", "span", type=span_of, metavar="SPAN", default="30d", show_default=True, help="How far to look back."
)
@click.option("--threshold", type=float, help="Try this number in the place of the rule's own.")
@click.option("--which", type=click.IntRange(1), default=1, help="Which of its numbers, when it has several.")
@click.option("--hold", type=span_of, metavar="SPAN", help="Try this on-delay.")
@data_option
def command(rule: str, span: int, threshold: float | None, which: int, hold: int | None, data: Path | None) -> None:
    """Judge history by RULE (app.rule) as it is now, and beside that with another number or hold.

    Nothing is raised and nothing is kept: this only counts.
    """
    settings = settings_of(data)
    known = rule_of(load_model(), rule)
    told = errand(settings, "try", rule=known.key(), span=span, threshold=threshold, which=which - 1, hold=hold)
    numbers = ", ".join(f"{n}: {c.words()}" for n, c in enumerate(constants(known.when), 1))
    click.echo(f"{told['rule']}, numbers {numbers or 'none'}")
    for title, run in zip(("as it is", "tried"), told["runs"], strict=False):
        show(title, run, settings.zone)


def show(title: str, run: dict[str, Any], zone: ZoneInfo) -> None:
    """One run: how many alerts, on which days, and the first of them."""
    hold = f", held for {run['hold'] / 1e6:g} s" if run["hold"] else ""
    more = " or more" if run["stopped"] else ""
    click.echo(f"\n{title}: {run['condition']}{hold}")
    click.echo(f"  {run['alerts']:,}{more} alerts of {run['things']:,} things, over {run['readings']:,} readings")
    if run["broken"]:
        click.echo(f"  It could not be judged: {run['broken']}")
    most = max(run["per_day"].values(), default=1)
    for day, count in run["per_day"].items():
        click.echo(f"  {day} {count:>7,} {'▇' * max(1, round(40 * count / most))}")
    for alert in run["first"]:
        begun = local(alert["raised"], zone)
        until = f"until {local(alert['cleared'], zone)}" if alert["cleared"] else "still standing"
        values = ", ".join(f"{name} {value}" for name, value in alert["values"].items() if value is not None)
        click.echo(f"  {alert['thing']:<24} {begun} {until}  {values}")


def local(us: int, zone: ZoneInfo) -> str:
    return f"{(EPOCH + timedelta(microseconds=us)).astimezone(zone):%Y-%m-%d %H:%M:%S}"
