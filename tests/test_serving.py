import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

DEADLINE_S = 30


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Someone else on a port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def serve(folder: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCOREBOARD_")}
    return subprocess.Popen(
        [sys.executable, "-m", "scoreboard", "serve", "--data", str(folder / "data"), *options],
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> tuple[str, str, int]:
    try:
        output, errors = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    return output, errors, process.returncode


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stdout_says_one_line_and_a_signal_ends_the_server_gracefully(tmp_path: Path, how: signal.Signals) -> None:
    process = serve(tmp_path, "--port", "0")
    assert process.stdout is not None
    line = process.stdout.readline()
    assert re.fullmatch(r"ready http://127\.0\.0\.1:[1-9][0-9]*\n", line)
    with urllib.request.urlopen(f"{line.split()[1]}/readyz") as answer:
        assert answer.status == 200
    process.send_signal(how)
    output, errors, status = end(process)
    assert (output, status) == ("", 0), errors
    assert "Traceback" not in errors


def test_a_server_that_stops_is_not_ready_takes_nobody_new_and_parts_from_its_sockets(tmp_path: Path) -> None:
    process = serve(tmp_path, "--port", "0", SCOREBOARD__LIVE__DRAIN_S="2")
    assert process.stdout is not None
    port = int(process.stdout.readline().rpartition(":")[2])
    live = f"ws://127.0.0.1:{port}/ws"
    http = HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    with closing(http), connect(live, proxy=None) as one, connect(live, proxy=None) as other:
        assert readiness(http) == 200
        process.send_signal(signal.SIGTERM)
        # Goodbyes are spread over the drain: at the first one the other socket is still there.
        first = next(client for client in cycle((one, other)) if said_goodbye(client))
        assert readiness(http) == 503
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        while not said_goodbye(other if first is one else one):
            pass
    output, errors, status = end(process)
    assert (output, status) == ("", 0), errors


def readiness(http: HTTPConnection) -> int:
    http.request("GET", "/readyz")
    answer = http.getresponse()
    answer.read()
    return answer.status


def said_goodbye(client: ClientConnection) -> bool:
    """Whether the server says so in the next moment."""
    try:
        goodbye: bool = json.loads(client.recv(timeout=0.05))["code"] == 1012
    except TimeoutError:
        return False
    return goodbye


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    output, errors, status = end(serve(tmp_path, "--port", str(port)))
    assert (output, status) == ("", 1)
    assert errors == f"Error: cannot listen on 127.0.0.1 port {port}: address already in use\n"
    assert not (tmp_path / "data").exists()


def test_a_host_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    output, errors, status = end(serve(tmp_path, "--host", "nowhere.invalid", "--port", "0"))
    assert (output, status) == ("", 1)
    assert re.fullmatch(r"Error: cannot listen on nowhere\.invalid port 0: .+\n", errors)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("host", "shown"),
    [("localhost", "localhost"), ("0.0.0.0", "0.0.0.0"), ("::1", "[::1]"), ("::", "[::]")],
)
def test_every_address_of_the_host_answers_on_one_port(tmp_path: Path, host: str, shown: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    process = serve(tmp_path, "--host", host, "--port", "0")
    assert process.stdout is not None
    announced, _, port = process.stdout.readline().rpartition(":")
    assert announced == f"ready http://{shown}"
    for *_, address in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM):
        with closing(HTTPConnection(str(address[0]), int(port), timeout=DEADLINE_S)) as http:
            assert readiness(http) == 200
    process.terminate()
    _, errors, status = end(process)
    assert status == 0, errors


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_the_log_says_where_the_data_is(tmp_path: Path) -> None:
    process = serve(tmp_path, "--port", "0", "--data", os.path.relpath(tmp_path / "elsewhere"))
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    _, errors, _ = end(process)
    assert re.search(rf"INFO .*: the data is in {tmp_path / 'elsewhere'}\n", errors)


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"SCOREBOARD__SERVER__PROT": "1"}, "server.prot: unknown key; the nearest known one is server.port"),
        ({"SCOREBOARD__SERVER__ENVIRONMENT": "production"}, "security.secret_file: must be set in production"),
    ],
)
def test_an_unusable_configuration_is_told_in_one_line(
    tmp_path: Path, variables: dict[str, str], complaint: str
) -> None:
    output, errors, status = end(serve(tmp_path, **variables))
    assert (output, errors, status) == ("", f"Error: {complaint}\n", 1)
    assert not (tmp_path / "data").exists()


def test_a_data_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    output, errors, status = end(serve(tmp_path, "--port", "0"))
    assert (output, status) == ("", 1)
    assert errors == f"Error: data.dir: cannot make {tmp_path / 'data'}: File exists\n"


def test_a_database_that_is_away_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 40)
    (tmp_path / "secret").chmod(0o600)
    with socket.socket() as nobody:  # holds its port and does not listen
        nobody.bind(("127.0.0.1", 0))
        away = {
            "SCOREBOARD__DATABASE__URL": f"postgresql://board@127.0.0.1:{nobody.getsockname()[1]}/scores",
            "SCOREBOARD__REDIS__URL": "redis://127.0.0.1:1/0",
            "SCOREBOARD__SECURITY__SECRET_FILE": str(tmp_path / "secret"),
        }
        output, errors, status = end(serve(tmp_path, "--port", "0", **away))
    assert (output, status) == ("", 1)
    logged, complaint = (line for line in errors.splitlines() if "redis" not in line)
    assert re.search("WARNING .*postgres: .*Connection refused", logged)
    assert complaint == "Error: The database cannot be reached."
