"""What is worked out by itself: jobs of applications and chores of the house, with their last runs."""

from typing import Any

from cheng.beside import Turn
from cheng.infrastructure.job_log import JobLog, JobRun, Said
from cheng.infrastructure.progress import Progress
from cheng.kernel.specs import title_of
from cheng.web.ask import Ask
from cheng.web.city.words import name_of, span, title
from cheng.web.pages import Column, Page, get

RUNS = (
    Column("id", "Run"),
    Column("started", "Begun", "moment"),
    Column("took", "Took", "duration"),
    Column("outcome", "Outcome"),
    Column("log", "What it said"),
)
BY_HAND = ("house.back_up", "house.prove_backup")
"""What people have done in the background, see `backup_shelf`."""
TITLES = {"": "under way", "done": "done", "failed": "failed", "cut off": "interrupted"}


def progress_of(ask: Ask, key: str) -> Progress | None:
    """How far a job has come that is under way in this process."""
    worker = ask.hub.worker
    return worker.progress(key) if worker is not None else None


def under_way(ask: Ask, progress: Progress) -> dict[str, Any]:
    """What is being done, since when, how far it has come, and its steps so far with the seconds each began after."""
    steps = progress.steps()
    after = [round((step.at - progress.begun) / 1e6, 1) for step in steps]
    lines = [{"after": at, "text": ask._(step.text, **step.values)} for at, step in zip(after, steps, strict=True)]
    share = progress.share
    return {
        "begun": progress.begun,
        "for": ask.local.duration(ask.hub.clock.now() - progress.begun),
        "step": lines[-1]["text"] if lines else ask._("Beginning"),
        "share": None if share is None else round(share, 3),
        "steps": lines,
    }


def works(ask: Ask) -> list[dict[str, Any]]:
    """Every job that is declared or was ever run, with its last run; those under way and those that failed first."""
    journal = JobLog(ask.hub.store)
    last: dict[str, JobRun] = {}
    for run in journal.recent(limit=500):
        last.setdefault(run.job, run)
    for key in journal.last_started().keys() - last.keys():
        last[key] = journal.recent(key, 1)[0]
    turns = ask.hub.worker.turns if ask.hub.worker is not None else {}
    asked = [key for key in BY_HAND if progress_of(ask, key) is not None]
    keys = dict.fromkeys([*ask.hub.model.jobs, *turns, *sorted(last), *asked])
    rows = [work_row(ask, key, last.get(key), turns.get(key)) for key in keys]
    return sorted(rows, key=lambda row: (row["under_way"] is None, row["outcome"] not in ("failed", "cut off")))


def words(ask: Ask, said: Said) -> str:
    """What a run said, in the reader's language."""
    return (ask._(said.text, **said.values) if said.text else "") + said.more


def work_row(ask: Ask, key: str, run: JobRun | None, turn: Turn | None = None) -> dict[str, Any]:
    """One line; `turn` is the worker's, where it works in this process."""
    every = turn.work.every if turn is not None else getattr(ask.hub.model.jobs.get(key), "every", None)
    job = ask.hub.model.jobs.get(key)
    name = name_of(job) if job is not None else title_of(key.partition(".")[2] or key)
    progress = progress_of(ask, key)
    return {
        "key": key,
        "name": ask._(name),
        "app": title(ask, job.app) if job is not None else ask._("The house"),
        "every": span(ask, every) if every is not None else "",
        "due": turn.due if turn is not None else None,
        "outcome": "" if progress is not None else run.outcome if run is not None else "never",
        "under_way": under_way(ask, progress) if progress is not None else None,
        "asked": turn is None,
        "said": words(ask, run.said) if run is not None else "",
        "started": run.started if run is not None else None,
        "took": run.finished - run.started if run is not None and run.finished is not None else None,
        "url": ask.url(f"/console/jobs/{key}"),
    }


@get("/console/jobs/{key:str}", needs=("see", "job"))
def job(ask: Ask, key: str) -> Page:
    """The last runs of one job with their logs; how far the present one has come."""
    progress = progress_of(ask, key)
    rows = [
        {
            "id": run.id,
            "started": run.started,
            "took": None if run.finished is None else run.finished - run.started,
            "outcome": run.outcome or "under way",
            "log": words(ask, run.said),
        }
        for run in JobLog(ask.hub.store).recent(key, ask.limit(50, 200))
    ]
    declared = ask.hub.model.jobs.get(key)
    title = name_of(declared) if declared is not None else title_of(key.partition(".")[2] or key)
    extra: dict[str, Any] = {
        "texts": TITLES,
        "title": ask._(title),
        "does": ask._(declared.sentence()) if declared is not None else "",
    }
    extra["may_run"] = ask.may("run", "job") and ask.hub.worker is not None and key in ask.hub.worker.turns
    data = {"job": key, "runs": rows, "under_way": under_way(ask, progress) if progress is not None else None}
    return Page("console/job.html", data, rows="runs", columns=RUNS, extra=extra)


routes = [job]
