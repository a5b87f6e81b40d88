"""The small demo city, running and signed in to, and a Chromium to look at it with."""

import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from bench.measuring import child, folder, free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WITHOUT_A_SCREEN = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PAST = "6h"
"""How much of its past the city gets; a longer one takes longer to make and draws the same charts."""
TOLD = re.compile(r"or as +(.+): password (\S+)")
SECRET = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True)
class City:
    url: str
    password: str
    """of the accounts one can look around with"""

    def cookie(self, account: str) -> tuple[str, str]:
        """Name and value of the session of somebody who has signed in by the form, as people do."""
        jar = CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        secret = SECRET.search(browser.open(f"{self.url}/sign-in").read().decode())
        assert secret is not None
        fields = {"csrf": secret[1], "name": account, "password": self.password}
        browser.open(f"{self.url}/sign-in", urlencode(fields).encode()).close()
        found = next(cookie for cookie in jar if "session" in cookie.name)
        return found.name, found.value or ""


@contextmanager
def city() -> Iterator[City]:
    """A new one in a process of its own."""
    with folder() as data, living(data, "small", PAST) as (found, _):
        yield found


@contextmanager
def living(data: Path, scale: str, past: str) -> Iterator[tuple[City, "subprocess.Popen[str]"]]:
    """The city of a folder, and its process; its password is told at the first start alone."""
    port = free_port()
    words = ["up", "--data", str(data), "--port", str(port), "--mqtt-port", str(free_port())]
    words += ["--demo", scale, "--history", past]
    with child("-c", "from cheng.cli import main; main()", *words) as process:
        yield City(f"http://127.0.0.1:{port}", password(process)), process


def password(process: subprocess.Popen[str]) -> str:
    """What a city tells when it is ready."""
    assert process.stdout is not None
    found = ""
    for line in process.stdout:
        if told := TOLD.search(line):
            found = told[2]
        if line.startswith("Stop it"):
            return found
    raise SystemExit("the city did not start")
