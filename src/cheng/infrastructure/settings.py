"""What a house is told when it starts: `cheng.toml` in its data folder, and above that `CHENG_*` of the environment.

Every mistake is found in one go and comes with its mend; a key nobody knows is a mistake, never silence.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cheng.infrastructure.neighbours import Neighbour, neighbours, with_key
from cheng.standards.problems import Problem, SpecError

FILE = "cheng.toml"
PREFIX = "CHENG_"
NOT_OURS = {"CHENG_REQUIRE"}
"""Read by the tests, not by the house."""
LENGTHS = {"s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6}
SIZES = {"B": 1, "kB": 1000, "MB": 10**6, "GB": 10**9}
LANGUAGES = ("zh_CN", "en")

SECRET = {"neighbours"}
"""Settings that hold keys: what was written is not repeated."""

Read = Callable[[Any], Any]
"""Turns a value of TOML, or the text of a variable, into what the field holds; ValueError says what was expected."""


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("write text in quotes")
    return value


def port_number(value: Any) -> int:
    """0 lets the machine choose a free one."""
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if type(number) is not int or not 0 <= number <= 65535:
        raise ValueError("write a port number between 0 and 65535")
    return number


def flag(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if not isinstance(value, bool):
        raise ValueError("write true or false")
    return value


def amount(value: Any, units: Mapping[str, int], example: str) -> int:
    """A number and its unit, "30 min", in the smallest unit."""
    number, _, unit = str(value).strip().partition(" ")
    try:
        result = float(number) * units[unit.strip()]
    except (ValueError, KeyError):
        raise ValueError(f"write a number and a unit ({', '.join(units)}), for example {example}") from None
    if not 0 <= result < 2**63:
        raise ValueError(f"write an amount of at least 0, for example {example}")
    return round(result)


def length(value: Any) -> int:
    return amount(value, LENGTHS, '"30 min"')


def size(value: Any) -> int:
    return amount(value, SIZES, '"10 MB"')


def zone_name(value: Any) -> str:
    try:
        return ZoneInfo(text(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('write a time zone of the IANA list, for example "Asia/Shanghai"') from None


def language_code(value: Any) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"write one of {', '.join(LANGUAGES)}")
    return str(value)


def path_prefix(value: Any) -> str:
    """A path below which a proxy serves us, without a slash at its end."""
    path = text(value).rstrip("/")
    if path and (not path.startswith("/") or set(path) & set("?# \\") or "//" in path):
        raise ValueError('write a path such as "/cheng", or "" for none')
    return path


def url(*schemes: str) -> Read:
    """Nothing, or a URL of one of these schemes."""

    def check(value: Any) -> str:
        if text(value) and urlsplit(value).scheme not in schemes:
            raise ValueError(f"write a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return str(value)

    return check


NAMELESS = "Cheng"
"""What a city is called until somebody says its name."""


def setting(default: Any, read: Read) -> Any:
    return field(default=default, metadata={"read": read})


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it, checked. Lengths of time are microseconds, sizes are bytes."""

    data: Path
    """the folder that holds everything this house keeps"""
    host: str = setting("127.0.0.1", text)
    port: int = setting(8000, port_number)
    mqtt_host: str = setting("127.0.0.1", text)
    mqtt_port: int = setting(1883, port_number)
    store: str = setting("", url("sqlite", "postgresql", "postgres"))
    """"" for SQLite in the data folder"""
    history: str = setting("", text)
    """"" for segments in the data folder; nothing else is there yet"""
    bus: str = setting("", url("memory", "nats"))
    """"" for a bus inside the process"""
    timezone: str = setting("Asia/Shanghai", zone_name)
    city: str = setting(NAMELESS, text)
    """the city's name, on every page"""
    language: str = setting("zh_CN", language_code)
    root_path: str = setting("", path_prefix)
    public_url: str = setting("", url("http", "https"))
    """where people reach us, for links in messages and feeds; "" for what the request says"""
    keep_readings: int = setting(length("400 d"), length)
    keep_summaries: int = setting(length("3660 d"), length)
    keep_refused: int = setting(length("90 d"), length)
    keep_logs: int = setting(length("200 d"), length)
    """the Cybersecurity Law, art. 21, wants network logs for six months at least"""
    session_idle: int = setting(length("30 min"), length)
    session_absolute: int = setting(length("12 h"), length)
    secure_cookies: bool = setting(False, flag)
    """true wherever people come by https"""
    warn_full: int = setting(length("30 d"), length)
    """the console warns when the disk will be full sooner than this"""
    backups: str = setting("", text)
    """folder for backups made from the console; "" for backups/ in the data folder"""
    upload_limit: int = setting(size("10 MB"), size)
    neighbours: tuple[Neighbour, ...] = setting((), neighbours)
    """other cities and companies to which cases are passed on"""

    @classmethod
    def load(cls, data: Path, env: Mapping[str, str] | None = None, **said: Any) -> "Settings":
        """From `data`/cheng.toml, then `env` (default os.environ), then what was `said` on the command line.

        None in `said` means not said. Raises SpecError with every problem found.
        """
        env = os.environ if env is None else env
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        folder = Path(env.get(PREFIX + "DATA") or data)
        for key, value, place in (*from_file(folder, problems), *from_env(env)):
            take(values, key, value, place, problems)
        for key, value in said.items():
            if value is not None:
                take(values, key, value, f"--{key.replace('_', '-')}", problems)
        values["neighbours"] = keyed(values.get("neighbours", ()), env, problems)
        if problems:
            raise SpecError(problems)
        settings = cls(data=folder, **values)
        if settings.session_idle > settings.session_absolute:
            hint = "make session_absolute at least as long as session_idle"
            raise SpecError([Problem("S203", "A session would end before it is idle", "session_absolute", hint)])
        return settings

    @property
    def store_url(self) -> str:
        """The store's URL, also when none was set."""
        return self.store or f"sqlite:///{self.data.absolute() / 'cheng.db'}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


KEYS: dict[str, Read] = {each.name: each.metadata["read"] for each in fields(Settings) if "read" in each.metadata}
Found = list[tuple[str, Any, str]]


def from_file(folder: Path, problems: list[Problem]) -> Found:
    """(key, value, place) of each line of the file; none when there is no file."""
    file = folder / FILE
    try:
        told = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem("S200", f"The settings cannot be read: {error}", str(file), "mend the line it names"))
        return []
    return [(key, value, f"{file}, {key}") for key, value in told.items()]


def from_env(env: Mapping[str, str]) -> Found:
    """(key, value, place) of each of our variables."""
    ours = sorted(name for name in env if name.startswith(PREFIX) and name not in NOT_OURS | {PREFIX + "DATA"})
    return [(name.removeprefix(PREFIX).lower(), env[name], name) for name in ours]


def keyed(found: tuple[Neighbour, ...], env: Mapping[str, str], problems: list[Problem]) -> tuple[Neighbour, ...]:
    """The neighbours with the keys that lie in files and variables of their own."""
    known = []
    for each in found:
        try:
            known.append(with_key(each, env))
        except ValueError as error:
            hint = "write the key there, or leave the line out for an endpoint that asks for none"
            problems.append(Problem("S204", str(error), "neighbours", hint))
    return tuple(known)


def take(values: dict[str, Any], key: str, value: Any, place: str, problems: list[Problem]) -> None:
    """Read one value into `values`, or say what is wrong with it."""
    if key not in KEYS:
        close = difflib.get_close_matches(key, KEYS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(KEYS)}"
        problems.append(Problem("S201", f"There is no setting {key!r}", place, hint))
        return
    try:
        values[key] = KEYS[key](value)
    except ValueError as error:
        hidden = key in SECRET or "@" in str(value)  # a URL may carry a password
        shown = "what it is" if hidden else repr(value)
        problems.append(Problem("S202", f"The setting {key!r} cannot be {shown}", place, str(error)))
