"""`cheng`: one module of this folder a command, found by its name and imported when it is asked for."""

import importlib
import os
import pkgutil
import sys

import click

from cheng.standards.problems import InputError, Refused, SpecError

PRIVATE = 0o077
"""The umask: what a hub keeps, the hashes of passwords among it, is for its owner alone."""
MISTAKE = 2
"""Exit code when what was asked cannot be done; 1 is for checks that found something."""


def modules() -> dict[str, str]:
    """Commands to their modules; one that is a word of Python has an underscore behind it."""
    return {m.name.rstrip("_"): m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")}


class Commands(click.Group):
    """The modules of this folder, each with `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(modules())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = modules().get(cmd_name)
        if name is None:
            return None
        found: click.Command = importlib.import_module(f"{__name__}.{name}").command
        found.name = cmd_name
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            known = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"{error.format_message()} Commands are: {known}.", ctx) from error


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cheng", message="Cheng %(version)s")
def group() -> None:
    """A city's intelligent hub: readings, reports and applications become state, alerts, cases and decisions."""


def main() -> None:
    """The entry point: what goes wrong is said in sentences, never in a trace."""
    os.umask(PRIVATE)
    try:
        code = group.main(standalone_mode=False)
    except (SpecError, Refused, InputError, click.ClickException, OSError) as error:
        code = complain(error)
    except (click.Abort, KeyboardInterrupt):
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


def complain(error: Exception) -> int:
    """Says what is wrong on standard error; the exit code."""
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, SpecError):
        for problem in error.problems:
            click.echo(str(problem), err=True)
    elif isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        click.echo(f"{error.strerror or error}{place}", err=True)
    else:
        click.echo(str(error), err=True)
    return MISTAKE
