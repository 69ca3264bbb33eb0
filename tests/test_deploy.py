"""What is shipped to run it for real is valid, and the proxies in front of a real server pass on what they must."""

import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from scoreboard.client import BoardView, Client
from scoreboard.config import check_production, is_scaled_out, load_settings
from scoreboard.wire import BatchItem
from tests.haproxy import SETUP as HAPROXY_SETUP
from tests.haproxy import Haproxy, require_haproxy
from tests.haproxy import filled_in as haproxy_filled_in
from tests.nginx import Nginx, require_nginx
from tests.server import Server

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that believes its proxy, and lets an address try one password."""
    limits = {"logins_per_minute": 1}
    config = {"server": {"trusted_proxies": ["127.0.0.1"]}, "limits": limits}
    with Server(tmp_path_factory.mktemp("server"), config) as server:
        yield server


@pytest.fixture(params=["haproxy", "nginx"])
def proxy(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> Iterator[str]:
    """The URL of a proxy in front of it."""
    kinds: dict[str, tuple[Any, Any]] = {"haproxy": (Haproxy, require_haproxy), "nginx": (Nginx, require_nginx)}
    kind, require = kinds[request.param]
    with kind(require(), tmp_path, [server.url]) as running:
        yield running.url


async def test_requests_and_sockets_pass_through_a_proxy(proxy: str, server: Server) -> None:
    async with Client(proxy, key=server.key) as backend, Client(proxy).live() as live:
        await live.subscribe("main")
        player = f"via:{urlsplit(proxy).port}"
        await backend.batch([BatchItem(player_id=player, board="main", score=7)])
        async for update in live:
            assert isinstance(update, BoardView)
            if player in {row.player_id for row in update.rows}:
                break
        assert (await backend.player("main", player)).score == 7


async def test_a_proxy_keeps_the_metrics_to_itself(proxy: str, server: Server) -> None:
    assert _status(f"{server.url}/metrics") == 200
    assert _status(f"{proxy}/metrics") == 404


def test_an_address_behind_a_proxy_is_told_by_the_proxy_and_not_by_the_client(proxy: str) -> None:
    """The only proxy that is trusted is at 127.0.0.1, and each address may try one password."""
    one, other = (f"127.0.{random.randrange(1, 250)}.{last}" for last in (2, 3))
    login = [f"{proxy}/api/v1/auth/login", "--json", '{"username": "nobody", "password": "correct horse"}']
    assert _status(*login, "--interface", one) == 401
    assert _status(*login, "--interface", one, "--header", f"X-Forwarded-For: {other}") == 429
    assert _status(*login, "--interface", other) == 401


def test_the_setup_of_haproxy_is_valid(tmp_path: Path) -> None:
    setup = tmp_path / "haproxy.cfg"
    setup.write_text(haproxy_filled_in(HAPROXY_SETUP.read_text(), tmp_path, 80, ["127.0.0.1:1"]))
    for path in (HAPROXY_SETUP, setup):
        done = subprocess.run([require_haproxy(), "-c", "-f", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def test_the_setup_of_nginx_is_valid(tmp_path: Path) -> None:
    nginx = Nginx(require_nginx(), tmp_path, ["http://127.0.0.1:1"])
    done = subprocess.run([*nginx.command, "-t"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_the_shipped_nginx_may_open_a_file_for_each_of_its_connections() -> None:
    setup = (DEPLOY / "nginx.conf").read_text()
    most = {name: int(count) for name, count in re.findall(r"(worker_\w+) (\d+);", setup)}
    assert most["worker_rlimit_nofile"] > most["worker_connections"]


def test_whatever_the_image_is_made_of_exists() -> None:
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    sources = {source for sources in copied for source in sources}
    assert {"scoreboard", "setup.cfg"} <= sources
    assert all((ROOT / source).exists() for source in sources)
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert admitted == sources
    assert "USER scoreboard" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_the_servers_of_the_compose_file_can_start_with_their_settings(tmp_path: Path) -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    servers = [service for name, service in compose["services"].items() if name.startswith("scoreboard")]
    assert len(servers) == 3
    secret = tmp_path / "secret"
    secret.write_text("s" * 40)
    secret.chmod(0o600)
    for service in servers:
        variables = {name: re.sub(r"\$\{.*?\}", "x", str(value)) for name, value in service["environment"].items()}
        assert variables["SCOREBOARD__SECURITY__SECRET_FILE"] == "/run/secrets/scoreboard"
        variables |= {"SCOREBOARD__SECURITY__SECRET_FILE": str(secret), "SCOREBOARD__DATA__DIR": str(tmp_path)}
        settings = load_settings(None, variables)
        check_production(settings)
        assert is_scaled_out(settings)
        assert set(service["secrets"]) <= set(compose["secrets"])
        assert set(service["depends_on"]) <= set(compose["services"])
        assert (DEPLOY / service["build"]).resolve() == ROOT


def test_the_compose_file_mounts_what_exists_and_balances_its_own_servers() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    haproxy = compose["services"]["haproxy"]
    (mounted,) = (volume.split(":")[0] for volume in haproxy["volumes"])
    balanced = set(re.findall(r"server \S+ (\w+):8080", (DEPLOY / mounted).read_text()))
    assert balanced == {name for name in compose["services"] if name.startswith("scoreboard")}
    assert balanced == set(re.findall(r"server (\w+):8080", (DEPLOY / "nginx.conf").read_text()))


def _status(*words: str) -> int:
    curl = ["curl", "--silent", "--output", "/dev/null", "--max-time", "20", "--write-out", "%{http_code}"]
    return int(subprocess.run([*curl, *words], capture_output=True).stdout)
