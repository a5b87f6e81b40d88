"""Settings: the file, above it the environment, above it the command line; every mistake at once, with its mend."""

from pathlib import Path

import pytest

from cheng.infrastructure.settings import KEYS, Settings
from cheng.standards.problems import SpecError

MINUTE = 60_000_000


def write(folder: Path, text: str) -> Path:
    (folder / "cheng.toml").write_text(text, "utf-8")
    return folder


def problems(folder: Path, env: dict[str, str] | None = None, **said: object) -> dict[str, tuple[str, str]]:
    """Place → (code, hint) of what is wrong."""
    with pytest.raises(SpecError) as refusal:
        Settings.load(folder, env or {}, **said)
    return {Path(p.place).name: (p.code, p.hint) for p in refusal.value.problems}


def test_defaults(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, {})
    assert (settings.port, settings.timezone) == (8000, "Asia/Shanghai")
    assert (settings.session_idle, settings.session_absolute) == (30 * MINUTE, 12 * 60 * MINUTE)
    assert settings.upload_limit == 10_000_000
    assert settings.store_url == f"sqlite:///{tmp_path / 'cheng.db'}"
    assert settings.zone.key == "Asia/Shanghai"


def test_the_defaults_pass_their_own_checks() -> None:
    assert set(KEYS) == {name for name in Settings.__dataclass_fields__ if name != "data"}


def test_file_then_environment_then_command_line(tmp_path: Path) -> None:
    write(
        tmp_path,
        'city = "重庆"\nport = 1\nmqtt_port = 2\nhost = "::1"\nsession_idle = "2 min"\nsecure_cookies = true\n',
    )
    env = {"CHENG_PORT": "3", "CHENG_MQTT_PORT": "4", "CHENG_STORE": "postgresql://cheng@db/cheng", "PATH": "/bin"}
    settings = Settings.load(tmp_path, env, mqtt_port=5, host=None)
    assert (settings.city, settings.port, settings.mqtt_port, settings.host) == ("重庆", 3, 5, "::1")
    assert (settings.session_idle, settings.secure_cookies) == (2 * MINUTE, True)
    assert settings.store_url == settings.store == "postgresql://cheng@db/cheng"


def test_the_environment_may_name_the_folder(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, "port = 9")
    settings = Settings.load(tmp_path, {"CHENG_DATA": str(other)})
    assert (settings.data, settings.port) == (other, 9)


def test_every_mistake_at_once_with_its_mend(tmp_path: Path) -> None:
    write(tmp_path, 'prot = 80\nport = "http"\ntimezone = "Mars"\nsession_idle = 30\nlanguage = "tlh"\ncity = 7\n')
    found = problems(
        tmp_path, {"CHENG_UPLOAD_LIMIT": "much", "CHENG_REQUIRE": "postgres", "CHENG_NONSENSE": "1"}, mqtt_port=70000
    )
    assert {place: code for place, (code, _) in found.items()} == {
        "cheng.toml, prot": "S201",
        "cheng.toml, port": "S202",
        "cheng.toml, timezone": "S202",
        "cheng.toml, session_idle": "S202",
        "cheng.toml, language": "S202",
        "cheng.toml, city": "S202",
        "CHENG_UPLOAD_LIMIT": "S202",
        "CHENG_NONSENSE": "S201",
        "--mqtt-port": "S202",
    }
    assert "did you mean 'port'?" in found["cheng.toml, prot"][1]
    assert all(hint for _, hint in found.values())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", True),
        ("port", -1),
        ("port", 1.5),
        ("port", "８０"),
        ("secure_cookies", "maybe"),
        ("secure_cookies", 1),
        ("keep_logs", "-1 s"),
        ("keep_logs", "nan s"),
        ("keep_logs", "1e300 d"),
        ("keep_logs", "30s"),
        ("root_path", "cheng"),
        ("root_path", "/a?b"),
        ("root_path", "//evil.example"),
        ("timezone", "../../etc/passwd"),
        ("timezone", ""),
        ("store", "mysql://x"),
        ("bus", 5),
        ("public_url", "mailto:x"),
        ("language", ["en"]),
    ],
)
def test_wrong_values(tmp_path: Path, key: str, value: object) -> None:
    assert problems(tmp_path, {}, **{key: value})[f"--{key.replace('_', '-')}"][0] == "S202"


def test_root_path_loses_its_last_slash(tmp_path: Path) -> None:
    assert Settings.load(tmp_path, {"CHENG_ROOT_PATH": "/city/hub/"}).root_path == "/city/hub"


def test_a_broken_file_names_its_line(tmp_path: Path) -> None:
    write(tmp_path, "port = \n")
    with pytest.raises(SpecError, match="line 1"):
        Settings.load(tmp_path, {})


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "cheng.toml").write_bytes(b'city = "\xff"')
    assert problems(tmp_path) == {"cheng.toml": ("S200", "mend the line it names")}


def test_passwords_are_not_printed(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refusal:
        Settings.load(tmp_path, {"CHENG_STORE": "mysql://cheng:geheim@db/x"})
    assert "geheim" not in str(refusal.value)


def test_sessions_end_later_than_they_idle(tmp_path: Path) -> None:
    assert problems(tmp_path, {"CHENG_SESSION_ABSOLUTE": "1 min"}).keys() == {"session_absolute"}


@pytest.mark.parametrize("key", ["lateness", "smtp", "mail_from", "sms"])
def test_what_nobody_reads_is_no_setting(tmp_path: Path, key: str) -> None:
    assert problems(tmp_path, {f"CHENG_{key.upper()}": ""})[f"CHENG_{key.upper()}"][0] == "S201"
