import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from scoreboard.cli import COMMANDS, main
from scoreboard.config import load_settings


def test_a_usable_configuration_is_printed_as_it_takes_effect(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("server: {port: 9000}")
    result = CliRunner(env={"SCOREBOARD__LIVE__TICK_MS": "50"}).invoke(main, ["check-config", "--config", str(path)])
    assert (result.exit_code, result.stderr) == (0, "ok\n")
    printed = yaml.safe_load(result.stdout)
    assert (printed["server"]["port"], printed["live"]["tick_ms"]) == (9000, 50)
    path.write_text(result.stdout)
    assert load_settings(path, {}) == load_settings(
        None, {"SCOREBOARD__SERVER__PORT": "9000", "SCOREBOARD__LIVE__TICK_MS": "50"}
    )


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse battery staple and more")
    environ = {
        "SCOREBOARD__SERVER__ENVIRONMENT": "production",
        "SCOREBOARD__SECURITY__SECRET_FILE": str(tmp_path / "secret"),
        "SCOREBOARD__DATA__DIR": str(tmp_path),
    }
    result = CliRunner(env=environ).invoke(main, ["check-config"])
    assert result.exit_code == 0, result.output
    assert "horse" not in result.output


def test_passwords_in_urls_and_the_webhooks_path_are_not_printed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 32)
    environ = {
        "SCOREBOARD__DATABASE__URL": "postgresql://board:horse@db.example/scores",
        "SCOREBOARD__DATABASE__REPLICA_URL": "postgresql://board:horse@standby.example/scores",
        "SCOREBOARD__REDIS__URL": "rediss://:horse@cache.example:6380/0",
        "SCOREBOARD__SECURITY__SECRET_FILE": str(tmp_path / "secret"),
        "SCOREBOARD__ALERTS__WEBHOOK_URL": "https://hooks.example/services/horse",
    }
    result = CliRunner(env=environ).invoke(main, ["check-config"])
    assert result.exit_code == 0, result.output
    assert "horse" not in result.output
    for shown in ("board:***@db.example/scores", "@standby.example", ":***@cache.example:6380/0", "hooks.example/***"):
        assert shown in result.output


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("live: {tik_ms: 1}", "Error: live.tik_ms: unknown key; the nearest known one is live.tick_ms\n"),
        ("server: {environment: production}", "Error: security.secret_file: must be set in production\n"),
    ],
)
def test_an_unusable_configuration_is_one_line_and_status_1(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    result = CliRunner().invoke(main, ["check-config", "--config", str(path)])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", complaint)


def test_every_command_explains_itself() -> None:
    listing = CliRunner().invoke(main, ["--help"]).output
    for name in COMMANDS:
        assert name in listing
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0
        assert "Usage:" in result.output


def test_the_list_of_commands_says_of_each_a_whole_sentence() -> None:
    listing = CliRunner().invoke(main, ["--help"]).output
    sentences = listing.partition("Commands:\n")[2].splitlines()
    assert len(sentences) == len(COMMANDS)
    assert all(re.search(r"[^.]\.$", sentence) for sentence in sentences)


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(main, ["sreve"])
    assert result.exit_code == 2
    assert "sreve" in result.output
