"""What holds for every test: a skipped one is told loudly and fails where CI is true."""

import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from scoreboard.passwords import Passwords

pytest_plugins = ["tests.postgres", "tests.redis_server", "tests.redis_cluster"]

# A shared machine may stall at any time: examples have no deadline of their own, the whole test has one.
settings.register_profile("scoreboard", deadline=None)
settings.load_profile("scoreboard")

IN_CI = os.environ.get("CI") == "true"


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """To hash one costs next to nothing in this process; servers that tests start pay what they should."""
    costs = Passwords.__init__.__kwdefaults__
    assert costs is not None
    should = dict(costs)
    costs.update(time_cost=1, memory_cost_kib=8)
    yield
    costs.update(should)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if IN_CI and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} -- nothing may be skipped where CI is true"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = len(terminalreporter.stats.get("skipped", ()))
    if skipped:
        terminalreporter.section(f"{skipped} SKIPPED: this run says nothing about them", sep="!", red=True, bold=True)
