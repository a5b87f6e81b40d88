"""`cheng new`: an application to begin with."""

import click

from cheng.checks import source_tree
from cheng.scaffold import Wish, create
from cheng.standards.problems import Refused


@click.command()
@click.argument("path", metavar="FAMILY/APP")
@click.option("--title", default="", help="What people call it.  [default: from the name]")
@click.option("--chinese", default="", help="What people call it in Chinese.  [default: the title]")
@click.option("--thing", default="", help="What it looks after: Shelter.  [default: from the name]")
@click.option("--owner", default="Operations centre", show_default=True, help="The department that answers for it.")
@click.option("--system", default="", help="Its place in the drawing of the city: G4.  [default: the family's first]")
def command(path: str, title: str, chinese: str, thing: str, owner: str, system: str) -> None:
    """Write a new application: module, story, demo, page and Chinese texts. Its tests pass at once.

    FAMILY is livelihood, city, government, industry or ecology.
    """
    root = source_tree()
    family, sign, name = path.partition("/")
    if not sign:
        raise click.UsageError(f"Write FAMILY/APP, for example city/{path}.")
    if root is None:
        raise Refused(
            "installed",
            "This Cheng is installed, not a source tree; write a package with the entry point "
            "group cheng.apps instead.",
        )
    for place in create(Wish(family, name, title, chinese, thing, owner, system), root):
        click.echo(f"written: {place}")
    click.echo(f"Now make it yours: src/cheng/apps/{family}/{name}.py, then: make test TESTS=tests/apps/{family}")
