import psycopg2
import pytest

from scoreboard.bench.daemons import Daemon
from scoreboard.bench.processes import Process
from tests.postgres import PostgresServer


def test_what_a_connection_uses_is_counted_once(own_postgres: PostgresServer) -> None:
    daemon = Daemon(own_postgres.pid, own_postgres.url(), "postgres")
    connection = psycopg2.connect(own_postgres.url())
    try:
        backend = Process(connection.info.backend_pid, "")
        before, alone = daemon.cpu_s(), backend.cpu_s()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM generate_series(1, 3000000)")
        assert daemon.cpu_s() - before == pytest.approx(backend.cpu_s() - alone, rel=0.5)
    finally:
        connection.close()
