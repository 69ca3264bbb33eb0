import re
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from scoreboard.config import (
    Settings,
    check_production,
    database_path,
    load_settings,
    make_data_folder,
    with_options,
)
from scoreboard.errors import ConfigError

SECRET = "s" * 32


def load(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environ)


def production(tmp_path: Path, text: str = "", secret: str = SECRET) -> Settings:
    (tmp_path / "secret").write_text(secret)
    settings = load(
        tmp_path,
        text,
        SCOREBOARD__SERVER__ENVIRONMENT="production",
        SCOREBOARD__SECURITY__SECRET_FILE=str(tmp_path / "secret"),
    )
    return with_options(settings, data=settings.data.dir if "data:" in text else str(tmp_path / "data"))


def test_the_packaged_file_holds_exactly_the_defaults() -> None:
    text = resources.files("scoreboard").joinpath("config.yaml").read_text("utf-8")
    assert yaml.safe_load(text) == msgspec.json.decode(msgspec.json.encode(Settings()))
    assert load_settings(None, {}) == Settings()


def test_the_packaged_file_says_what_each_key_is_for() -> None:
    text = resources.files("scoreboard").joinpath("config.yaml").read_text("utf-8")
    entries = re.findall(r"^( +[a-z_]+:(?: .*)?)\n(.*)", text, re.MULTILINE)
    settings = [(line, below) for line, below in entries if not re.fullmatch(r" +(main|coin):", line)]
    assert len(settings) > 30
    assert [line for line, below in settings if "# " not in line and not below.strip().startswith("# ")] == []


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "") == Settings()
    assert load(tmp_path, "server:\nlive:\n") == Settings()


def test_a_file_is_found_by_path_then_by_variable_then_in_the_package(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("server: {port: 1}")
    (tmp_path / "b.yaml").write_text("server: {port: 2}")
    environ = {"SCOREBOARD_CONFIG": str(tmp_path / "b.yaml")}
    assert load_settings(tmp_path / "a.yaml", environ).server.port == 1
    assert load_settings(None, environ).server.port == 2
    assert load_settings(None, {"SCOREBOARD_CONFIG": ""}).server.port == 8080


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("servr: {}", "servr: unknown key; the nearest known one is server"),
        ("server: {prot: 1}", "server.prot: unknown key; the nearest known one is server.port"),
        ("boards: {main: {actions: {coin: {max: 1}}}}", "boards.main.actions.coin.max: unknown key; .*coin.max_score"),
        ("boards: {main: {rules: {metronom: off}}}", "boards.main.rules.metronom: unknown key; .*rules.metronome"),
        ("boards: {main: {actions: {coin: {rules: {metronom: off}}}}}", "boards.main.actions.coin.rules.metronom: .*"),
        ("boards: {main: {tiebreakers: [{nam: x}]}}", r"boards.main.tiebreakers\[0\]: .*"),
        ("server: {port: '1'}", "server.port: Expected `int`, got `str`"),
        ("server: {port: 65536}", "server.port: Expected `int` <= 65535"),
        ("server: {port: yes}", "server.port: Expected `int`, got `str`"),
        ("server: {port: 010}", "server.port: Expected `int`, got `str`"),
        ("server: {access_log: on}", "server.access_log: Expected `bool`, got `str`"),
        ("server: [1]", "server: must hold keys and their values"),
        ("[1, 2]", "the configuration: must hold keys and their values"),
        ("text", "the configuration: must hold keys and their values"),
        ("server: {port: 1, port: 2}", "line 1: the key port is given twice"),
        ("server: {}\nserver: {}", "line 2: the key server is given twice"),
        ("server: {1: 2}", "server.1: unknown key; .*"),
        ("server: {port: 1", "line 1: .*"),
        ("a: !!python/object:os.system x", "line 1: could not determine a constructor .*"),
        ("server: {trusted_proxies: [10.0.0.0/40]}", "server.trusted_proxies: '10.0.0.0/40' does not appear .*"),
        (
            "database: {url: 'mysql://u:hunter2@h/d'}",
            "database.url: sqlite:///path/to/file and .*, this begins with mysql",
        ),
        ("database: {url: 'postgres://u:hunter2@h/d'}", "database.url and redis.url: .*; name both or neither"),
        ("redis: {url: 'redis://:hunter2@h'}", "database.url and redis.url: .*; name both or neither"),
        (
            "{database: {url: 'postgresql://h/d'}, redis: {url: 'http://:hunter2@h'}}",
            "redis.url: begins with none of redis, .*",
        ),
        (
            "{database: {url: 'postgresql://h/d', replica_url: 'sqlite:///x'}, redis: {url: 'redis://h'}}",
            "database.replica_url: must begin with postgresql://",
        ),
        (
            "{database: {url: 'postgresql://h/d'}, redis: {url: 'redis://h'}}",
            "security.secret_file: must be set, and hold the same for all servers .*",
        ),
        ("boards: {Main: {}}", "boards.Main: Expected `str` matching regex .*"),
        ("boards: {1: {}}", "boards.1: Expected `str`, got `int`"),
        ("boards: {main: {timezone: Mars/Olympus}}", "boards.main: Unknown time zone 'Mars/Olympus'."),
        ("boards: {main: {seasons: {s: {start: 2027-01-01}}}}", "boards.main.seasons.s.end: is missing"),
        ("boards: [main]", "boards: Expected `object`, got `array`"),
        ("live: {ping_s: 0}", "live.ping_s: Expected `float` > 0.*"),
        ("limits: {requests_per_minute: -1}", "limits.requests_per_minute: Expected `int` >= 0"),
        ("limits: {requests_per_minute: .inf}", "limits.requests_per_minute: Expected `int`, got `str`"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line_with_its_key(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(tmp_path, text)
    assert re.fullmatch(f"(.*config.yaml, )?{complaint}", str(refusal.value))
    assert "hunter2" not in str(refusal.value)


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: cannot be read: No such file"):
        load_settings(tmp_path / "nowhere", {})
    (tmp_path / "latin").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="latin: cannot be read: not UTF-8"):
        load_settings(tmp_path / "latin", {})


def test_off_is_a_word_and_a_date_is_text(tmp_path: Path) -> None:
    text = (
        "boards: {b: {rules: {too_fast: off}, seasons: {s: {start: 2027-01-01T00:00:00Z, end: 2028-01-01T00:00:00Z}}}}"
    )
    board = load(tmp_path, text).boards["b"]
    assert board.rules.too_fast == "off"
    assert board.seasons["s"].start == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("name", "text", "section", "key", "value"),
    [
        ("SCOREBOARD__SERVER__PORT", "9000", "server", "port", 9000),
        ("SCOREBOARD__SERVER__HOST", "::", "server", "host", "::"),
        ("SCOREBOARD__SECURITY__ISSUER", "12", "security", "issuer", "12"),
        ("SCOREBOARD__SERVER__CORS_ORIGINS", '["https://a", "*"]', "server", "cors_origins", ("https://a", "*")),
        ("SCOREBOARD__SERVER__ACCESS_LOG", "true", "server", "access_log", True),
        ("SCOREBOARD__LIVE__PING_S", "2.5", "live", "ping_s", 2.5),
        ("SCOREBOARD__LIVE", "{tick_ms: 50}", "live", "tick_ms", 50),
    ],
)
def test_a_variable_replaces_a_key(tmp_path: Path, name: str, text: str, section: str, key: str, value: Any) -> None:
    settings = load(tmp_path, "server: {port: 1}", **{name: text})
    assert getattr(getattr(settings, section), key) == value


def test_a_variable_reaches_into_a_board() -> None:
    environ = {"SCOREBOARD__BOARDS__MAIN__TITLE": "12 Angry", "SCOREBOARD__BOARDS__MAIN__ACTIONS__COIN__TTL_S": "5"}
    board = load_settings(None, environ).boards["main"]
    assert (board.title, board.operator, board.actions["coin"].ttl_s) == ("12 Angry", "sum", 5)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("SCOREBOARD__SERVER__PROT", "1", "server.prot: unknown key; the nearest known one is server.port"),
        ("SCOREBOARD__SERVER__PORT", "x", "server.port: Expected `int`, got `str`"),
        ("SCOREBOARD__SERVER__PORT__X", "1", "server.port: Expected `int`, got `object`"),
        ("SCOREBOARD__SERVER__CORS_ORIGINS", "[", "SCOREBOARD__SERVER__CORS_ORIGINS, line 1: .*"),
        ("SCOREBOARD__", "1", ": unknown key; .*"),
    ],
)
def test_an_unusable_variable_is_refused(name: str, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_settings(None, {name: text})
    assert re.fullmatch(complaint, str(refusal.value))


def test_the_command_line_has_the_last_word() -> None:
    settings = with_options(load_settings(None, {"SCOREBOARD__SERVER__PORT": "1"}), host="::", port=0, data="/d")
    assert (settings.server.host, settings.server.port, settings.data.dir) == ("::", 0, "/d")
    assert with_options(settings) == settings


def test_the_database_lies_in_the_data_folder_unless_told(tmp_path: Path) -> None:
    assert database_path(load_settings(None, {})) == Path("data/scoreboard.db")
    assert database_path(load(tmp_path, "database: {url: 'sqlite:///var/x.db'}")) == Path("/var/x.db")


def test_the_data_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    settings = with_options(Settings(), data=str(tmp_path / "new" / "data"))
    make_data_folder(settings)
    make_data_folder(settings)
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^data\.dir: cannot make .*: File exists$"):
        make_data_folder(with_options(Settings(), data=str(tmp_path / "file")))


@pytest.mark.parametrize("secret", ["", "s" * 31, " " * 40])
def test_production_refuses_a_short_secret(tmp_path: Path, secret: str) -> None:
    with pytest.raises(ConfigError, match=r"security\.secret_file: .* 32 are needed"):
        check_production(production(tmp_path, secret=secret))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("server: {cors_origins: ['*']}", r"server\.cors_origins: "),
        ("live: {origins: ['https://a', '*']}", r"live\.origins: "),
        ("server: {trusted_proxies: [0.0.0.0/0]}", r"server\.trusted_proxies: 0\.0\.0\.0/0 trusts everyone"),
        ("server: {trusted_proxies: ['::/0']}", r"server\.trusted_proxies: ::/0 trusts everyone"),
        ("data: {dir: /proc/1/nothing}", r"data\.dir: /proc/1/nothing cannot be written"),
        ("data: {dir: /dev/null}", r"data\.dir: /dev/null cannot be written"),
    ],
)
def test_production_refuses_what_is_only_convenient(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=f"^{complaint}"):
        check_production(production(tmp_path, text))
    check_production(load(tmp_path, text))


def test_production_needs_a_secret_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be set in production"):
        check_production(load(tmp_path, "server: {environment: production}"))
    with pytest.raises(ConfigError, match="No such file"):
        check_production(load(tmp_path, "server: {environment: production}\nsecurity: {secret_file: /nowhere}"))


def test_production_accepts_a_careful_configuration(tmp_path: Path) -> None:
    text = "server: {cors_origins: ['https://a'], trusted_proxies: [10.0.0.1, 10.1.0.0/16]}"
    check_production(production(tmp_path, text))
