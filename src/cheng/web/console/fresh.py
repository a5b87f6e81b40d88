"""A form that begins anew after the one before it was taken."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from litestar.datastructures import FormMultiDict

from cheng.web.ask import Ask
from cheng.web.forms import Form


def fresh_form(ask: Ask, initial: Mapping[str, Any] | None = None) -> Form:
    """A form that shows `initial`, not what was sent with this request."""
    return Form(replace(ask, form=FormMultiDict([])), initial)
