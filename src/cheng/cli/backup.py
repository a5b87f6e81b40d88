"""`cheng backup`: everything, in one archive."""

from pathlib import Path

import click

from cheng.cli._house import data_option, errand, settings_of


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_option
def command(file: Path, data: Path | None) -> None:
    """Write everything the hub keeps, as of now, into the archive FILE. The hub may go on running."""
    told = errand(settings_of(data), "backup", file=str(file.absolute()))
    click.echo(
        f"{told['file']}: {told['files']} files, {told['bytes'] / 1e6:,.1f} MB. Keep it as safe as the hub itself."
    )
