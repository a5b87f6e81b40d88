"""Templates: Jinja with everything escaped, and the few words every template may use."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from cheng.security import csrf
from cheng.web.ask import Ask
from cheng.web.assets import Assets
from cheng.web.guards import FIELD, masked, wanted
from cheng.web.navigation import Navigation
from cheng.web.sparks import spark
from cheng.web.texts import LANGUAGES

FOLDER = Path(__file__).parent / "templates"


class Templates:
    """All templates of the house."""

    def __init__(self, assets: Assets, folders: Sequence[Path] = (FOLDER,)) -> None:
        self.assets = assets
        self.environment = Environment(
            loader=FileSystemLoader([str(folder) for folder in folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.do"],
        )
        self.environment.globals |= {"spark": spark, "language_names": LANGUAGES, "zip": zip, "enumerate": enumerate}
        self.environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)

    def render(self, names: Sequence[str], words: "Words", data: Mapping[str, Any], block: str = "") -> str:
        """The first of `names` that exists, filled; or only one block of it, for htmx."""
        template: Template = self.environment.select_template(list(names))
        context = {**words.context(), **data}
        context["ui"] = Macros(self, "macros/ui.html", context)
        context["forms"] = Macros(self, "macros/forms.html", context)
        if not block:
            return template.render(context)
        return "".join(template.blocks[block](template.new_context(context, shared=False)))


class Macros:
    """The macros of one file, ready to use in the page that is being drawn."""

    def __init__(self, templates: Templates, name: str, context: Mapping[str, Any]) -> None:
        self._templates, self._name, self._context = templates, name, context

    @cached_property
    def _module(self) -> Any:
        return self._templates.environment.get_template(self._name).make_module(dict(self._context))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class Words:
    """What every template may use beside its data: texts, addresses, the reader, the form's secret."""

    def __init__(self, ask: Ask, templates: Templates, navigation: Navigation) -> None:
        self.ask = ask
        self.templates = templates
        self.navigation = navigation
        self.new_form_secret = ""
        """set when a form was drawn for somebody without one; goes out as a cookie"""

    @cached_property
    def secret(self) -> str:
        """The secret behind this reader's forms; made when the first form asks for it."""
        known = wanted(self.ask.request)
        if not known:
            known = self.new_form_secret = csrf.secret()
        return known

    def token(self) -> str:
        """The secret, masked, for a header or a field."""
        return masked(self.secret)

    def field(self) -> Markup:
        """The hidden field every form needs: `{{ csrf() }}`."""
        return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, self.token())

    def asset(self, name: str) -> str:
        """The address of a file of the static folder, or "" when it is not there."""
        assets = self.templates.assets
        return self.ask.url(assets.path(name)) if name in assets else ""

    def context(self) -> dict[str, Any]:
        ask = self.ask
        return {
            "ask": ask,
            "actor": ask.actor,
            "local": ask.local,
            "language": ask.local.language,
            "_": ask.local.language.gettext,
            "gettext": ask.local.language.gettext,
            "ngettext": ask.local.language.ngettext,
            "url": ask.url,
            "here": ask.here,
            "twin": ask.twin,
            "may": ask.may,
            "asset": self.asset,
            "csrf": self.field,
            "csrf_token": self.token,
            "city": ask.hub.settings.city,
            "now": ask.now,
            "sections": self.navigation.sections(ask),
            "entries": self.navigation.entries(ask),
            "section": self.navigation.section(ask),
        }
