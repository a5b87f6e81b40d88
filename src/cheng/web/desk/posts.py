"""What waits for somebody at their post: the steps of all flows that ask for it."""

from cheng.security.actors import POSTS
from cheng.web.pages import Ask


def posts_of(ask: Ask) -> tuple[str, ...]:
    """The posts that the reader holds, in the order of the house's list."""
    return tuple(post for post in POSTS if ask.actor.has(post))


def steps_of(ask: Ask) -> tuple[str, ...]:
    """Names of the steps that one of the reader's posts does, in the order of the flows."""
    mine = set(posts_of(ask))
    flows = ask.hub.cases.flows.values()
    return tuple(dict.fromkeys(step.name for flow in flows for step in flow.steps if mine.intersection(step.posts)))
