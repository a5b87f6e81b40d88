"""`cheng user`: let a person in."""

from pathlib import Path

import click

from cheng.cli._house import data_option, opened_store, settings_of
from cheng.security.accounts import Accounts
from cheng.security.actors import HOUSE, ROLES
from cheng.security.passwords import Hasher
from cheng.security.sessions import Sessions


@click.command()
@click.argument("name")
@click.option("--role", "roles", required=True, multiple=True, type=click.Choice(list(ROLES)), help="What they may do.")
@click.option("--department", default="", help="The department they work in.")
@click.option("--display-name", default="", help="How others see them.  [default: the name]")
@data_option
def command(name: str, roles: tuple[str, ...], department: str, display_name: str, data: Path | None) -> None:
    """Make an account and print its password for the first sign-in, once."""
    with opened_store(settings_of(data)) as (store, clock):
        accounts = Accounts(store, clock, Hasher(), Sessions(store, clock))
        password = accounts.create(HOUSE, name, display_name, roles, department)
    click.echo(f"{name} may sign in with this password, and then chooses one of their own: {password}")
