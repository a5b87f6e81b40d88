"""The one question before every act: may they? A no is raised, and written down."""

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store
from cheng.security import audit
from cheng.security.actors import Actor
from cheng.security.permissions import RECORDED, Decision, Target, decide
from cheng.standards.problems import Refused


class Guard:
    """Decides, refuses, and keeps the audit of it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    def require(self, actor: Actor, verb: str, thing: Target | str, purpose: str = "", address: str = "") -> Decision:
        """The decision when it is yes; Refused (403) and a row in the audit when it is no.

        The row is written in a transaction of its own, so it stays when the caller's is rolled back. What RECORDED
        names is written down when allowed, too.
        """
        decision = decide(actor, verb, thing, purpose)
        if not decision.allowed or verb in RECORDED:
            at = self.clock.now()
            outcome: audit.Outcome = "allowed" if decision.allowed else "refused"
            self.store.afterwards(
                lambda conn: audit.record(
                    conn, at, actor, verb, thing, outcome, purpose=purpose, reason=decision.reason, address=address
                )
            )
        if not decision.allowed:
            raise Refused(decision.code, decision.reason, status=403)
        return decision
