"""`cheng tell`: an application in sentences."""

import click

from cheng.infrastructure.loader import load_model
from cheng.kernel.model import Model
from cheng.kernel.specs import App, did_you_mean
from cheng.standards.problems import Refused
from cheng.telling import languages, tell
from cheng.web.texts import LANGUAGES


@click.command()
@click.argument("app", required=False)
@click.option("--lang", type=click.Choice(list(LANGUAGES)), default="zh_CN", show_default=True, help="The language.")
def command(app: str | None, lang: str) -> None:
    """Tell what APP is: what exists, what is reported, each rule, each step, each target.

    Without APP, the applications there are.
    """
    model = load_model()
    language = languages()[lang]
    if app is None:
        for key, spec in sorted(model.apps.items()):
            click.echo(f"{key:<32} {spec.system:<4} {language.gettext(spec.title)}")
        return
    click.echo(tell(model, app_of(model, app), language), nl=False)


def app_of(model: Model, name: str) -> type[App]:
    """The application with that name, or family/name; Refused (404) with a hint."""
    found = [spec for key, spec in model.apps.items() if name in (key, spec.__name__)]
    if len(found) != 1:
        hint = did_you_mean(name, list(model.apps))
        raise Refused("not-there", "There is no application '{app}' ({hint}).", {"app": name, "hint": hint}, status=404)
    return found[0]
