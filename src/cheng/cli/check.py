"""`cheng check`: is everything complete?"""

import click

from cheng.checks import check, source_tree, warnings, write_pages
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.loader import load_model
from cheng.standards.calendars import Calendar


@click.command()
@click.option("--write", is_flag=True, help="First write what a machine can: the pages below docs/.")
def command(write: bool) -> None:
    """Look at every declaration, text, test, page and demo, and say all that is missing, with its mend."""
    root = source_tree()
    if write and root is not None:
        for place in write_pages(load_model(), root):
            click.echo(f"written: {place}")
    for warning in warnings(Calendar(), Clock().now()):
        click.echo(f"warning: {warning}", err=True)
    problems = check(root)
    for problem in problems:
        click.echo(str(problem))
    if problems:
        click.echo(f"{len(problems)} to mend.", err=True)
        raise SystemExit(1)
    click.echo("Complete.")
