"""Other cities, and companies with an Open311 endpoint of their own, as the operator names them in the settings.

Their keys are secrets: they are in no `repr`, and no sentence about a mistake repeats what was written.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LONGEST_NAME = 80
MOST = 100
WORDS = ("name", "url", "jurisdiction_id", "api_key", "api_key_file", "api_key_env")
KNOWN = (*WORDS, "allow_http", "services")
KEYS = ("api_key", "api_key_file", "api_key_env")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One of them."""

    name: str
    """what people call it; cases that were passed on are known by it"""
    url: str
    """of its GeoReport v2, without a slash at its end"""
    jurisdiction: str = ""
    key: str = field(default="", repr=False)
    services: Mapping[str, str] = field(default_factory=dict)
    """code of a class of ours → what it is reported as there"""
    key_file: str = ""
    key_env: str = ""


def neighbours(value: Any) -> tuple[Neighbour, ...]:
    """Of the tables [[neighbours]] of a file, or the same as JSON in a variable. ValueError with everything wrong."""
    try:
        rows = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError('in a variable write a list in JSON: [{"name": "…", "url": "https://…"}]') from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or len(rows) > MOST:
        raise ValueError(f"write each as a table [[neighbours]] with name and url, at most {MOST}")
    faults = [fault for n, row in enumerate(rows, 1) for fault in faults_of(n, row)]
    names = [row.get("name") for row in rows]
    faults += [f"two are called {name!r}" for name in dict.fromkeys(names) if name and names.count(name) > 1]
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(map(neighbour, rows))


def neighbour(row: Mapping[str, Any]) -> Neighbour:
    words = {name: str(row.get(name, "")).strip() for name in WORDS}
    return Neighbour(
        words["name"],
        words["url"].rstrip("/"),
        words["jurisdiction_id"],
        words["api_key"],
        {str(code): str(service) for code, service in row.get("services", {}).items()},
        words["api_key_file"],
        words["api_key_env"],
    )


def faults_of(n: int, row: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the n-th of them."""
    name = row.get("name")
    which = f"neighbour {name!r}" if isinstance(name, str) and name.strip() else f"neighbour {n}"
    for key in row:
        if key not in KNOWN:
            close = difflib.get_close_matches(key, KNOWN, n=1)
            yield f"{which} has {key!r}; " + (f"did you mean {close[0]!r}?" if close else f"known: {', '.join(KNOWN)}")
    for key in WORDS:
        if not isinstance(row.get(key, ""), str):
            yield f"{which}: write {key} in quotes"
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        yield f"{which} needs a name of at most {LONGEST_NAME} characters"
    if not isinstance(row.get("allow_http", False), bool):
        yield f"{which}: allow_http is true or false"
    yield from (f"{which}: {fault}" for fault in address_faults(row.get("url"), row.get("allow_http") is True))
    services = row.get("services", {})
    if not isinstance(services, dict) or not all(isinstance(each, str) and each for each in services.values()):
        yield f'{which}: write services as a table of texts: services = {{ E0102 = "rubbish" }}'
    if sum(bool(row.get(key)) for key in KEYS) > 1:
        yield f"{which}: give its key once, as one of {', '.join(KEYS)}"
    file = row.get("api_key_file")
    if isinstance(file, str) and file and not Path(file).is_absolute():
        yield f"{which}: write the whole path of api_key_file, from the root"


def address_faults(url: Any, allow_http: bool) -> Iterator[str]:
    """What is wrong with the address of an endpoint."""
    if not isinstance(url, str) or not (url.isprintable() and url.isascii()) or " " in url.strip():
        yield "url is the address of its Open311, such as https://city.example/open311/v2"
        return
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        yield "url cannot be read"
        return
    if parts.scheme not in ("https", "http") or not host:
        yield "url begins with https:// and names a host"
    elif "@" in parts.netloc or parts.query or parts.fragment:
        yield "url is an address alone: no password, no ? and no # in it"
    elif parts.scheme == "http" and not (allow_http or is_loopback(host)):
        yield "url begins with https://; on http everybody on the way reads along (allow_http = true takes it anyway)"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def with_key(one: Neighbour, env: Mapping[str, str]) -> Neighbour:
    """The same with its key at hand. ValueError when the file or the variable that should hold it does not."""
    if one.key_env:
        if not env.get(one.key_env, "").strip():
            raise ValueError(f"neighbour {one.name!r}: the variable {one.key_env} holds no key")
        return replace(one, key=env[one.key_env].strip())
    if one.key_file:
        try:
            key = Path(one.key_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise ValueError(f"neighbour {one.name!r}: {one.key_file} cannot be read: {reason}") from None
        if not key:
            raise ValueError(f"neighbour {one.name!r}: {one.key_file} holds no key")
        return replace(one, key=key)
    return one
