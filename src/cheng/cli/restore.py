"""`cheng restore`: a hub as it was."""

from pathlib import Path

import click

from cheng.backups import restore
from cheng.cli._house import data_option, settings_of


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@data_option
def command(file: Path, data: Path | None) -> None:
    """Unpack the archive FILE of `cheng backup` into a new or empty data folder."""
    folder = settings_of(data).data
    told = restore(file, folder)
    click.echo(f"{folder} holds {told['files']} files again. Start the hub: cheng up --data {folder}")
