"""`cheng up`: the hub, until it is told to stop."""

import asyncio
import gc
import logging
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import uvloop

from cheng import demo
from cheng.cli._house import data_option, settings_of, span_of
from cheng.cli._progress import Progress
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.settings import NAMELESS, Settings
from cheng.security.actors import HOUSE
from cheng.serve import City, Up, run
from cheng.standards.durations import days, hours

SWITCH = 0.0005
"""Seconds a thread may keep the interpreter from the others: a tenth of the usual, the loop has many to answer."""
FILES = 65_536
"""Connections and files that may be open at once, where the system lets us."""
SHOWN = 20
"""Accounts that are named."""
PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def past_of(text: str) -> int:
    """Microseconds of a past that a city can live through."""
    past = span_of(text)
    if not hours(1).us <= past <= days(366).us:
        raise click.BadParameter(f"{text!r} is no past to live through; it has to lie between 1h and 366d")
    return past


@click.command()
@data_option
@click.option("--host", help="The address to listen on; :: for every IPv6 and IPv4 one.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="The port of the pages.  [default: 8000]")
@click.option("--mqtt-port", type=int, help="The port for devices that speak MQTT.  [default: 1883]")
@click.option("--demo", "scale", type=click.Choice(list(demo.SCALES)), help="Fill the hub with an invented city.")
@click.option(
    "--speed", type=click.FloatRange(0, min_open=True), default=1.0, help="Seconds of the city in one second."
)
@click.option(
    "--history",
    "past",
    type=past_of,
    metavar="SPAN",
    help="How much of its past a new invented city has.  [default: 2d; 6h for a city]",
)
def command(
    data: Path | None,
    host: str | None,
    port: int | None,
    mqtt_port: int | None,
    scale: str | None,
    speed: float,
    past: int | None,
) -> None:
    """Open the hub and keep it open.

    Prints where it is and, at the first start, the password of the account `operator`. Ctrl-C ends it.
    """
    started = time.perf_counter()
    settings = settings_of(data, host=host, port=port, mqtt_port=mqtt_port, mqtt_host=host)
    logging.basicConfig(level=logging.INFO, format=PLAIN, stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    if past is not None:
        told_past(settings, scale)
    if scale and settings.city == NAMELESS:
        settings = replace(settings, city=demo.NAME)
    clock = demo.open_clock(settings.data, speed, past or demo.SCALES[scale].past.us) if scale else Clock(speed)
    progress = Progress()
    city = partial(demo.start, scale=scale, so_far=progress) if scale else None
    if scale:
        click.echo("Opening the hub and bringing its invented city up to the present …")
    sys.setswitchinterval(SWITCH)
    let_many_in()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_told(settings, clock, city, partial(opened, started=started, progress=progress)))
    click.echo("Stopped; everything is written down.")


def told_past(settings: Settings, scale: str | None) -> None:
    """Says when a past that was asked for cannot be had: only invented cities have one, and each has it once."""
    if scale is None:
        raise click.UsageError("--history is the past of an invented city; say --demo small, district or city as well")
    if demo.left_at(settings.data) is not None:
        click.echo("This city has a past already; --history is for a new one (--data of an empty folder).")


def let_many_in() -> None:
    """As many open files as this process may have: every connection is one, and the usual limit is a thousand."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(most, FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def until_told(settings: Settings, clock: Clock, city: City | None, ready: Callable[[Up], None]) -> None:
    """Runs the hub until the first SIGINT or SIGTERM; a second one is the system's."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        click.echo("Stopping …")
        stopped.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await run(settings, stopped, ready, clock, city)


def opened(up: Up, started: float, progress: Progress) -> None:
    """Everybody can come in."""
    progress.end()
    gc.freeze()  # what was read stays: the collector need not look through a million things again and again
    tell(up, started)


def tell(up: Up, started: float) -> None:
    """Where the hub is, and how to get in."""
    lines = [
        ("Pages", up.http),
        ("Devices", f"{up.mqtt} (sign in with a token as password: cheng token NAME --role device …)"),
        ("Data", str(up.hub.settings.data.absolute())),
    ]
    lines += sign_in(up)
    click.echo(f"Cheng is ready after {time.perf_counter() - started:.1f} s.")
    for name, text in lines:
        click.echo(f"  {name:<11} {text}")
    click.echo("Stop it with Ctrl-C.")


def sign_in(up: Up) -> Iterator[tuple[str, str]]:
    """Who can sign in, as far as this start made them; of an invented city also whom an earlier one made."""
    made: dict[str, list[str]] = {}
    for name, password in getattr(up.feed, "accounts", ()):
        made.setdefault(password, []).append(name)
    if up.password is not None:
        yield "Sign in as", f"operator, password {up.password}"
    for password, names in made.items():
        yield "or as", f"{', '.join(names)}: password {password}"
    if made or up.password is not None:
        yield "", "(told this once; lost? cheng user NAME --reset)"
    elif up.feed is not None:
        names = [row["name"] for row in up.hub.accounts.everyone(HOUSE) if not row["disabled"]]
        yield "Sign in as", ", ".join([name for name in names if not name.startswith(demo.CREW)][:SHOWN])
        yield "", "(passwords were told at the first start; lost? cheng user NAME --reset)"
