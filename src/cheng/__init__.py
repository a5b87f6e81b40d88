"""Cheng: readings, reports and applications of a city become state, alerts, cases and decisions.

This is the vocabulary: everything that an application may import from the house.

Declared as classes, each with a sentence for its docstring:

    App         the application: title, owner, place in the 135 architecture
    Entity      a type of thing that exists; it has an id, a name, an owner, a state and a place without being told to
    Event       something that happens, a record with typed fields
    Rule        what makes an alert: `when`, `hold`, `release`, `level`, `basis`
    Flow        what is done about it, step by step
    Job         what is worked out every so often from tables
    Indicator   what shows how well it goes

Fields of entities and events:

    Quantity    a number in a unit
    Choice      one of a few labels
    Track       a position that moves
    Text        words in the register
    Place       a point, line or area in the register
    Ref         another thing; `Truck.permit.route` follows it
    Command     something a thing can be told to do

Inside rules, flows and jobs:

    Step        one step of a flow
    BY_CONDITION, REST  as its limit: that of the condition a case was filed by; what is left of the step before
    silence     the thing has reported nothing for a time
    happened    any event of a type
    every       the places of all things of a type together
    count       how many readings within a time met a condition
    unusual     how unusual a report is for its thing at this hour
    by, near    alerts that share a field or a neighbourhood are one
    last        the history of a field, as a job's input

Lengths of time, each on its own clock:

    seconds, minutes, hours     run through the night
    days                        calendar days
    working_hours, working_days stop outside office hours, at weekends and on public holidays
"""

from cheng.kernel.entities import (
    Choice,
    Command,
    Entity,
    Event,
    Place,
    Quantity,
    Ref,
    Text,
    Track,
    happened,
    silence,
)
from cheng.kernel.expressions import count, every, unusual
from cheng.kernel.flows import BY_CONDITION, REST, Flow, Step
from cheng.kernel.indicators import Indicator
from cheng.kernel.jobs import Job, last
from cheng.kernel.rules import Rule, by, near
from cheng.kernel.specs import App
from cheng.standards.durations import days, hours, minutes, seconds, working_days, working_hours

__all__ = [
    "BY_CONDITION",
    "REST",
    "App",
    "Choice",
    "Command",
    "Entity",
    "Event",
    "Flow",
    "Indicator",
    "Job",
    "Place",
    "Quantity",
    "Ref",
    "Rule",
    "Step",
    "Text",
    "Track",
    "by",
    "count",
    "days",
    "every",
    "happened",
    "hours",
    "last",
    "minutes",
    "near",
    "seconds",
    "silence",
    "unusual",
    "working_days",
    "working_hours",
]
