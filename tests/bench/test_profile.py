from scoreboard.bench.profile import count

HANDLE = "handle (scoreboard/api/rest.py)"
RUN = "run (scoreboard/api/middleware.py)"
MAIN = "Context.invoke (click/core.py)"


def test_own_time_is_that_of_the_innermost_function_and_inclusive_time_that_of_all() -> None:
    found = count([([MAIN, HANDLE, RUN], 3), ([MAIN, HANDLE], 2)])
    assert found.own == {RUN: 3, HANDLE: 2}
    assert found.inclusive == {RUN: 3, HANDLE: 5}


def test_a_function_that_calls_itself_is_counted_once_for_a_sample() -> None:
    found = count([([HANDLE, RUN, HANDLE], 4)])
    assert found.inclusive == {HANDLE: 4, RUN: 4}


def test_time_in_c_is_that_of_the_python_function_that_called_it_too() -> None:
    found = count([([MAIN, HANDLE, "sqlite3_step (libsqlite3.so.0)"], 2)])
    assert found.own == {"sqlite3_step (libsqlite3.so.0)": 2}
    assert found.with_c == found.inclusive == {HANDLE: 2}


def test_threads_that_wait_are_not_counted() -> None:
    found = count([([RUN, "PyThread_acquire_lock_timed (libpython3.11.so.1.0)", "0x7f (libc.so.6)"], 9)])
    assert not any(found)
