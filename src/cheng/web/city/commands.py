"""What a thing can be told to do: one form for each command, and what became of those sent."""

from typing import Any

from cheng.infrastructure.command_book import CommandBook
from cheng.infrastructure.registration import Thing
from cheng.kernel.entities import Choice, Command, Entity, Kept, Quantity
from cheng.security.seen import target
from cheng.web.ask import Ask
from cheng.web.city.words import label, shown, symbol
from cheng.web.forms import Form

SENT = {"sent": "on its way", "delivered": "delivered", "failed": "not delivered"}
LIGHTS = {"sent": "plain", "delivered": "good", "failed": "warning"}


def book(ask: Ask) -> CommandBook:
    return CommandBook(ask.hub.store, ask.hub.things, ask.hub.bus, ask.hub.clock)


def commands_of(ask: Ask, thing: Thing, entity: type[Entity]) -> dict[str, Any] | None:
    """The commands of a thing and the last ones sent; None when it takes none or this reader may not see them."""
    if not entity.commands() or not ask.may("see", target(thing, entity, "command")):
        return None
    known = entity.commands()
    told = [
        {
            "at": one.at,
            "by": one.by,
            "what": known[one.command].doc if one.command in known else one.command,
            "arguments": arguments_text(ask, known.get(one.command), one.arguments),
            "state": SENT.get(one.state, one.state),
            "kind": LIGHTS.get(one.state, "plain"),
        }
        for one in book(ask).of_thing(thing.id, 8)
    ]
    may = ask.may("command", target(thing, entity)) and thing.state != "retired"
    return {"may": may, "sent": told, "known": [command_form(ask, command) for command in known.values()]}


def command_form(ask: Ask, command: Command) -> dict[str, Any]:
    """A command as its form is drawn."""
    fields = [
        {
            "name": f"{command.name}.{name}",
            "label": label(ask.local, field),
            "hint": hint(ask, field),
            "unit": symbol(field),
            "options": [(text, ask._(text)) for text in field.options] if isinstance(field, Choice) else None,
        }
        for name, field in command.arguments.items()
    ]
    return {"name": command.name, "doc": command.doc or command.name, "fields": fields}


def hint(ask: Ask, field: Kept) -> str:
    """What may be filled in."""
    if isinstance(field, Quantity) and field.low is not None and field.high is not None:
        return ask._("From {low} to {high}.", low=f"{field.low:g}", high=f"{field.high:g}")
    return ""


def arguments_text(ask: Ask, command: Command | None, arguments: dict[str, Any]) -> str:
    """The arguments of a command that was sent: 40%."""
    fields = command.arguments if command is not None else {}
    return ", ".join(shown(ask, fields[n], v) if n in fields else f"{n} = {v}" for n, v in arguments.items())


def read(form: Form, command: Command) -> dict[str, Any]:
    """The arguments out of a form; what is wrong stands in its errors."""
    found: dict[str, Any] = {}
    for name, field in command.arguments.items():
        key = f"{command.name}.{name}"
        if isinstance(field, Quantity):
            low = -1e300 if field.low is None else field.low
            found[name] = form.number(key, required=True, low=low, high=1e300 if field.high is None else field.high)
        elif isinstance(field, Choice):
            found[name] = form.choice(key, field.options, required=True)
        else:
            found[name] = form.text(key, required=True, most=500)
    return found
