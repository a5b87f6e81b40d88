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
@click.option("--role", "roles", multiple=True, type=click.Choice(list(ROLES)), help="What they may do.")
@click.option("--department", default="", help="The department they work in.")
@click.option("--display-name", default="", help="How others see them.  [default: the name]")
@click.option("--reset", is_flag=True, help="Give the account a new password instead, and end its sessions.")
@data_option
def command(
    name: str, roles: tuple[str, ...], department: str, display_name: str, reset: bool, data: Path | None
) -> None:
    """Make an account and print its password for the first sign-in, once."""
    if reset == bool(roles):
        raise click.UsageError("Say what the person may do: --role; or --reset for a new password.")
    with opened_store(settings_of(data)) as (store, clock):
        accounts = Accounts(store, clock, Hasher(), Sessions(store, clock))
        if reset:
            password: str | None = accounts.reset_password(HOUSE, name)
        else:
            password = accounts.create(HOUSE, name, display_name, roles, department)
    click.echo(f"{name} may sign in with this password, and then chooses one of their own: {password}")
