"""A hub that is up: pages and devices by HTTP, devices by MQTT, jobs, and if asked an invented city.

`run` opens everything in order and closes it in the opposite one: first nobody comes in any more, then what came is
made durable, then the folder is let go.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

import uvicorn

from cheng.backup_shelf import BackupShelf
from cheng.errands import ERRANDS
from cheng.hub import Hub, open_hub
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.command_book import CommandBook
from cheng.infrastructure.data_folder import DataFolder
from cheng.infrastructure.settings import Settings
from cheng.intake_retry import retry_of
from cheng.local_door import LocalDoor
from cheng.protocols.http import Asgi, HttpDoor
from cheng.protocols.http_lean import IDLE_TIME, Doorway
from cheng.protocols.mqtt import MqttDoor
from cheng.protocols.mqtt_broker import Broker
from cheng.protocols.mqtt_commands import Delivered, carry_commands
from cheng.protocols.mqtt_hub import Principal
from cheng.protocols.mqtt_revoked import expel_revoked
from cheng.protocols.open311_passing import OpenCities
from cheng.security.actors import Actor
from cheng.standards.problems import Problem, SpecError
from cheng.web.app import create_app
from cheng.worker import Worker

log = logging.getLogger(__name__)
GOODBYE = 3
"""Seconds that requests under way may take to end when the hub is stopped."""
BACKLOG = 2048
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # compared with, not listened on
"""How this machine itself reaches a hub that listens on every address."""


class Feed(Protocol):
    """What invents a city's readings until it is told to stop."""

    def stop(self) -> None: ...


City = Callable[[Hub, Callable[[], bool]], Feed]
"""Fills a hub with an invented city; is told how to see that the hub is to be stopped."""


@dataclass(frozen=True)
class Up:
    """What there is to tell when the hub is ready."""

    hub: Hub
    http: str
    mqtt: str
    password: str | None
    """of the account `operator`, when this was the first start"""
    feed: Feed | None


async def run(
    settings: Settings,
    stopped: asyncio.Event,
    ready: Callable[[Up], None],
    clock: Clock | None = None,
    demo: City | None = None,
) -> None:
    """Runs a hub until `stopped` is set; `ready` is called when everybody can come in.

    `demo` fills the hub with an invented city before its jobs begin; its past takes the clock of that city.

    A hub with an invented city takes another port for devices when its own is taken: a broker of the machine often
    has it, and no real device waits for this one. Raises SpecError when it cannot start, with everything closed again.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(DataFolder(settings.data))
        pages = stack.enter_context(closing(listen(settings.host, settings.port)))
        hub = await asyncio.to_thread(open_hub, settings, clock)
        stack.push_async_callback(asyncio.to_thread, hub.close)
        hub.machine.start()
        stack.push_async_callback(asyncio.to_thread, hub.machine.stop)
        password = await asyncio.to_thread(hub.accounts.ensure_operator)
        at = address("http", *pages.getsockname()[:2])
        http = HttpDoor(hub, cast(Asgi, create_app(hub)))
        await asyncio.to_thread(http.intake.warm_up)
        door = LocalDoor(hub, http, folder.announce(at).secret, ERRANDS)
        lean = cast(type[asyncio.Protocol], Doorway(http).protocol)
        web = Web(uvicorn.Config(door, http=lean, **UVICORN))
        stack.push_async_callback(finish, asyncio.create_task(web.serve_until(stopped, pages)))
        stack.callback(stopped.set)
        broker = Broker(MqttDoor(hub), owner=owner)
        stack.push_async_callback(broker.stop)
        port = await listen_for_devices(broker, settings.mqtt_host, settings.mqtt_port, spare=demo is not None)
        delivered = Delivered(CommandBook(hub.store, hub.things, hub.bus, hub.clock)).note
        for errand in (carry_commands(hub.bus, broker, delivered), expel_revoked(hub.bus, broker)):
            stack.push_async_callback(finish, asyncio.create_task(errand), cancel=True)
        feed = await asyncio.to_thread(demo, hub, stopped.is_set) if demo is not None else None
        if feed is not None:
            stack.push_async_callback(asyncio.to_thread, feed.stop)
        worker = Worker(hub)
        hub.broker, hub.worker, hub.retry, hub.backups = broker, worker, retry_of(hub), BackupShelf(hub, worker)
        hub.cities = OpenCities(hub)
        worker.start()
        stack.push_async_callback(asyncio.to_thread, worker.stop)
        stack.callback(hub.bus.close)
        await web.up.wait()
        if not stopped.is_set():
            ready(Up(hub, at, address("mqtt", settings.mqtt_host, port), password, feed))
        await stopped.wait()


# -- HTTP

UVICORN: dict[str, Any] = {
    "loop": "none",
    "ws": "none",
    "lifespan": "on",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "timeout_keep_alive": IDLE_TIME,
    "timeout_graceful_shutdown": GOODBYE,
    "backlog": BACKLOG,
}


class Web(uvicorn.Server):
    """uvicorn without its own signal handling: the hub as a whole is stopped, not its pages alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def serve_until(self, stopped: asyncio.Event, listening: socket.socket) -> None:
        """Serves until the event is set; sets it when it cannot go on."""
        watch = asyncio.create_task(self._watch(stopped))
        try:
            await self._serve([listening])
        finally:
            watch.cancel()
            self.up.set()
            stopped.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def _watch(self, stopped: asyncio.Event) -> None:
        await stopped.wait()
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; SpecError when the address cannot be had. `::` takes IPv4 callers too."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except (OSError, OverflowError) as error:
        raise cannot_listen(host, port, "--port", error) from error


def address(scheme: str, host: str, port: int) -> str:
    """How people write where a hub listens; "every address" is written as this machine."""
    return f"{scheme}://{ANYWHERE.get(host, f'[{host}]' if ':' in host else host)}:{port}"


def cannot_listen(host: str, port: int, option: str, error: Exception) -> SpecError:
    reason = getattr(error, "strerror", None) or str(error)
    hint = f"choose another port with {option}, or stop the program that has it"
    return SpecError([Problem("S310", f"Nobody can listen on {host}, port {port}: {reason}", option, hint)])


# -- MQTT


def owner(principal: Principal) -> str:
    """A token that got other rights is still the same client."""
    return principal.name if isinstance(principal, Actor) else ""


async def listen_for_devices(broker: Broker, host: str, port: int, spare: bool = False) -> int:
    """Lets devices in; the port. SpecError when it cannot be had, unless any other will do (`spare`).

    `::` takes IPv4 callers too.
    """
    try:
        port = await broker.start(host, port or (free_on_both() if host == "::" else 0))
        if host == "::":
            await broker.start("0.0.0.0", port)  # noqa: S104  # asyncio's "::" is IPv6 alone; "::" asked for every address
    except OSError as error:
        if spare and port:
            log.warning("port %s is taken; devices come in by another one", port)
            return await listen_for_devices(broker, host, 0)
        raise cannot_listen(host, port, "--mqtt-port", error) from error
    return port


def free_on_both() -> int:
    """A port that neither IPv4 nor IPv6 uses."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as both:
        return int(both.getsockname()[1])


# -- ending


async def finish(task: "asyncio.Task[None]", cancel: bool = False) -> None:
    """Waits for a task to end, or ends it."""
    if cancel:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await task
