"""`cheng token`: let a device or program in."""

from pathlib import Path

import click

from cheng.cli._house import data_option, hub_that_runs, opened_store, sent_errand, settings_of
from cheng.security.actors import DEVICE, HOUSE, PROGRAMS, ROLES
from cheng.security.tokens import TokenBook


@click.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([*PROGRAMS, *ROLES]), help="What it may do.")
@click.option("--things", multiple=True, metavar="ID[,ID…]", help="A device: the things it speaks for.")
@click.option("--prefix", multiple=True, metavar="TEXT", help="A device: all things whose id starts like this.")
@click.option("--types", multiple=True, metavar="TYPE", help="A device: all things of this type.")
@click.option("--department", default="", help="The department it acts for.")
@data_option
def command(
    name: str,
    role: str,
    things: tuple[str, ...],
    prefix: tuple[str, ...],
    types: tuple[str, ...],
    department: str,
    data: Path | None,
) -> None:
    """Make a token and print it, once. It is sent as `Authorization: Bearer …`, or as password by MQTT."""
    scope = {"ids": words(things), "prefixes": words(prefix), "types": words(types)}
    if role == DEVICE and not any(scope.values()):
        raise click.UsageError("Say which things the device speaks for: --things, --prefix or --types.")
    settings = settings_of(data)
    there = hub_that_runs(settings)
    if there is not None:  # it knows its new token at once then
        click.echo(sent_errand(there, "token", name=name, role=role, scope=scope, department=department))
        return
    with opened_store(settings) as (store, clock):
        click.echo(TokenBook(store, clock).issue(HOUSE, name, role, scope, department))


def words(given: tuple[str, ...]) -> list[str]:
    """What was given once or several times, with or without commas."""
    return [word.strip() for text in given for word in text.split(",") if word.strip()]
