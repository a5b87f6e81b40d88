"""What `cheng` asks of a hub that runs, or of one it opens itself: one function each, plain values in and out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cheng.backup_shelf import BACK_UP, said
from cheng.backups import back_up
from cheng.hub import Hub
from cheng.infrastructure.dry_run import try_rule
from cheng.infrastructure.job_log import JobLog, Said
from cheng.kernel.dry_runs import Setting
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule
from cheng.kernel.specs import did_you_mean
from cheng.security.actors import HOUSE
from cheng.standards.problems import Refused


def backup(hub: Hub, file: str) -> dict[str, Any]:
    """Writes everything the hub keeps, as of one moment, into an archive."""
    journal, started = JobLog(hub.store), hub.clock.now()
    try:
        told = back_up(hub, Path(file))
    except Refused as refused:
        journal.write(BACK_UP, started, hub.clock.now(), "failed", Said(refused.message, refused.values))
        raise
    journal.write(BACK_UP, started, hub.clock.now(), "done", said(told))
    return told


def rule_of(model: Model, key: str) -> type[Rule]:
    """The rule with that key, or that name when only one has it; Refused (404) with a hint."""
    named = [rule for name, rule in model.rules.items() if key in (name, rule.__name__)]
    if len(named) == 1:
        return named[0]
    hint = did_you_mean(key, list(model.rules))
    raise Refused("not-there", "There is no rule '{rule}' ({hint}).", {"rule": key, "hint": hint}, status=404)


def try_out(
    hub: Hub, rule: str, span: int, threshold: float | None = None, which: int = 0, hold: int | None = None
) -> dict[str, Any]:
    """What a rule would have done in the last `span` microseconds, as it is and with another threshold or hold."""
    found = rule_of(hub.model, rule)
    end = hub.clock.now() + 1
    settings = list(dict.fromkeys((Setting(), Setting(threshold, which, hold))))
    try:
        runs = try_rule(hub.things, hub.history, found, settings, end - span, end)
    except ValueError as error:
        raise Refused("bad-setting", "This cannot be tried: {reason}.", {"reason": str(error)}, status=422) from error
    return {"rule": found.key(), "runs": [run.told(hub.calendar) for run in runs]}


def token(hub: Hub, name: str, role: str, scope: dict[str, Any], department: str = "") -> str:
    """A new token."""
    return hub.tokens.issue(HOUSE, name, role, scope, department)


ERRANDS: dict[str, Callable[..., Any]] = {"backup": backup, "try": try_out, "token": token}
"""By the name `cheng` asks for them."""
