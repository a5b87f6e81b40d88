"""What commands have in common: where the data lies, and the hub on it, whether it runs or not."""

import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from cheng.errands import ERRANDS
from cheng.hub import Hub, open_hub
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.data_folder import DataFolder, Running, in_use, running, unusable
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.store import Store
from cheng.standards.problems import Refused

JSON = "application/json"
UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
TIMEOUT = 600
"""Seconds to wait for the hub: a backup of a whole city takes a while."""

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that holds everything this hub keeps.  [default: $CHENG_DATA, or ./data]",
)


def span_of(text: str) -> int:
    """Microseconds of a length of time: 90s, 10min, 6h, 30d."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)", str(text))
    if found is None:
        raise click.BadParameter(f"{text!r} is no length of time; write 90s, 10min, 6h or 30d")
    return round(float(found[1]) * UNITS[found[2]] * 1_000_000)


def settings_of(data: Path | None, **said: Any) -> Settings:
    """The settings of a data folder; what was said on the command line goes before the environment.

    Raises SpecError for settings or a folder that cannot be.
    """
    env = {name: value for name, value in os.environ.items() if data is None or name != "CHENG_DATA"}
    folder = data or Path("data")
    try:
        return Settings.load(folder, env, **said)
    except OSError as error:
        raise unusable(folder, error) from error


@contextmanager
def opened_hub(settings: Settings) -> Iterator[Hub]:
    """The hub on a data folder that nobody else has; SpecError when somebody does."""
    with DataFolder(settings.data):
        hub = open_hub(settings)
        try:
            yield hub
        finally:
            hub.close()


@contextmanager
def opened_store(settings: Settings) -> Iterator[tuple[Store, Clock]]:
    """The store alone, which a hub that runs may have open too."""
    store = Store(settings.store or settings.data / "cheng.db")
    try:
        yield store, Clock()
    finally:
        store.close()


def hub_that_runs(settings: Settings) -> Running | None:
    """The hub that runs on the data folder; None when none does. Refused when it cannot be reached."""
    if not in_use(settings.data):
        return None
    there = running(settings.data)
    if there is None:
        raise Refused("starting", "Another cheng has the data folder and is just starting or ending; try again.")
    return there


@contextmanager
def errands(settings: Settings) -> Iterator[Callable[..., Any]]:
    """Asks the house for errands by name: the one that runs on the data folder, else one opened for them all."""
    there = hub_that_runs(settings)
    if there is not None:
        yield partial(sent_errand, there)
        return
    with opened_hub(settings) as hub:
        yield lambda name, /, **asked: ERRANDS[name](hub, **asked)


def errand(settings: Settings, name: str, /, **asked: Any) -> Any:
    """What the house answers to one errand."""
    with errands(settings) as ask:
        return ask(name, **asked)


def sent_errand(there: Running, name: str, /, **asked: Any) -> Any:
    """What a hub that runs answers to an errand."""
    payload = msgspec.json.encode({"errand": name, **asked})
    return poster(there.url, there.secret)("/local/errands", payload, JSON)["answer"]


def poster(url: str, token: str) -> Callable[[str, bytes, str], dict[str, Any]]:
    """Sends a payload to a path of a hub; Refused with its own words when it says no, or is not there."""
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"{url!r} is no address of a hub; write http://host:port")

    def post(path: str, payload: bytes, media_type: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": media_type}
        request = urllib.request.Request(url.rstrip("/") + path, payload, headers, method="POST")  # noqa: S310  # http(s), see above
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  # as above
                told: dict[str, Any] = msgspec.json.decode(answer.read())
                return told
        except urllib.error.HTTPError as error:
            raise refusal(error) from error
        except urllib.error.URLError as error:
            values = {"url": url, "reason": error.reason}
            raise Refused("no-answer", "The hub at {url} does not answer: {reason}.", values) from error

    return post


def refusal(error: urllib.error.HTTPError) -> Refused:
    """What the hub said, as it said it."""
    try:
        problem = msgspec.json.decode(error.read(), type=dict[str, Any])
        detail = str(problem.get("detail") or "; ".join(problem.get("problems", ())))
    except (msgspec.DecodeError, msgspec.ValidationError):
        detail = ""
    return Refused("refused", "{detail}", {"detail": detail or f"The hub answered {error.code}."}, status=error.code)
