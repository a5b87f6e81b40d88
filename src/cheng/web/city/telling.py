"""Telling a thing what to do: the form is checked, the command written down, and the audit knows who sent it."""

from cheng.security.seen import target
from cheng.standards.problems import Refused
from cheng.web.city.commands import book, read
from cheng.web.city.noting import note
from cheng.web.city.seeing import thing_of
from cheng.web.city.thing import thing_page
from cheng.web.pages import Answer, Ask, Form, post, see_other


@post("/things/{type_name:str}/{thing_id:str}/commands/{name:str}", needs=("command", "thing"))
def send(ask: Ask, type_name: str, thing_id: str, name: str) -> Answer:
    """Tell the thing to do something."""
    thing, entity = thing_of(ask, type_name, thing_id)
    ask.require("command", target(thing, entity))
    command = entity.commands().get(name)
    if command is None:
        raise Refused("no-command", "There is no such command.", status=404)
    form = Form(ask)
    arguments = read(form, command)
    if form.errors:
        return thing_page(ask, thing, entity, form, 422)
    sent = book(ask).send(thing.id, name, arguments, ask.actor.name)
    note(ask, "command", target(thing, entity), command=name, arguments=arguments, number=sent.id)
    return see_other(ask, f"/things/{type_name}/{thing_id}", "The command is on its way.")


routes = [send]
