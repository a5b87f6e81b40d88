"""Digital urban management: what is wrong in the street goes through seven stages until somebody else has looked."""

from cheng import BY_CONDITION, REST, App, Flow, Indicator, Step, days, hours, minutes, working_hours

PUBLIC = ("citizen", "hotline", "open311", "wechat", "portal", "letter", "media", "patrol")
"""Channels whose reports somebody looks at on the spot before they are filed."""
ON_THE_SPOT = {"simple": ("yes",)}
PART = {"part": ("yes",)}
RECORD = {"record": ("yes",)}
"""Of cases that another system handled and that are only written down here."""
PASSED = {"passed": ("yes",)}
"""Of cases that are for another city, or for a company with a hub of its own."""


class urban_management(App):
    """Takes in what collectors, citizens, callers and cameras find, and sees it through to the close."""

    title = "Urban management"
    owner = "Urban Management Supervision Centre"
    system = "G1"


class handle_report(Flow):
    """Hear it, look, file it by a condition, send it to who is in charge, have it done, and look again."""

    classes = "urban_management_classes.csv"
    reopen = days(365)
    reopen_by_reporter = days(15)
    reopen_at = "dispatch"
    steps = (
        Step(
            "accept",
            to="Urban Management Supervision Centre",
            post=("acceptor", "agent"),
            only={"source": PUBLIC},
            within=minutes(30),
            voids=True,
            done="Accept it",
            passes=True,
        ),
        Step(
            "verify",
            to="{street} collector team",
            post="collector",
            only={"source": PUBLIC},
            within=working_hours(2),
            urgent=minutes(30),
            done="It is as reported",
        ),
        Step(
            "file",
            to="Urban Management Supervision Centre",
            post="shift-leader",
            asks=("condition",),
            within=minutes(30),
            voids=True,
            passes=True,
        ),
        Step(
            "dispatch",
            to="Urban Management Command Centre",
            post="dispatcher",
            asks=("departments",),
            within=minutes(30),
            passes=True,
            unless=ON_THE_SPOT,
        ),
        Step("handle", proof="photo", within=BY_CONDITION, disputes=True, unless=ON_THE_SPOT, done="The work is done"),
        Step("feedback", within=REST, joins=True, unless=ON_THE_SPOT, done="Report it done"),
        # reached from the three steps that pass cases on; sent back to them when the other city does not take it
        Step(
            "elsewhere",
            to="Urban Management Supervision Centre",
            post="shift-leader",
            only=PASSED,
            within=days(30),
            away=True,
        ),
        Step(
            "check",
            to="{street} collector team",
            post=("collector", "checker"),
            by="another person",
            proof="photo",
            within=working_hours(4),
            urgent=hours(2),
            unless=ON_THE_SPOT | PART | RECORD | PASSED,
            done="Passed",
        ),
        Step(
            "close",
            to="Urban Management Supervision Centre",
            post="shift-leader",
            by="another person",
            within=hours(1),
            unless=PART | RECORD,
            done="Close the case",
        ),
    )


class handled_in_time(Indicator):
    """Cases whose department reported them done within the limit of their filing condition."""

    of = handle_report
    step = "feedback"
    target = 0.9
    public = True


class filed_in_time(Indicator):
    """Reports that were filed in time."""

    of = handle_report
    step = "file"
    target = 0.95


class dispatched_in_time(Indicator):
    """Cases that were dispatched in time."""

    of = handle_report
    step = "dispatch"
    target = 0.95


class verified_in_time(Indicator):
    """Reports of the public that somebody looked at in time."""

    of = handle_report
    step = "verify"
    target = 0.9


class checked_in_time(Indicator):
    """Finished work that somebody looked at in time."""

    of = handle_report
    step = "check"
    target = 0.9


class reports_opened(Indicator):
    """Cases opened, whatever the channel."""

    of = handle_report
    measure = "count"
