from prometheus_client.parser import text_string_to_metric_families

from scoreboard.metrics import CONTENT_TYPE, Metrics


def samples(metrics: Metrics) -> dict[str, float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_what_was_counted_can_be_read() -> None:
    metrics = Metrics()
    metrics.submissions.labels("held").inc()
    metrics.sockets.inc(3)
    read = samples(metrics)
    assert read["scoreboard_submissions_total"] == 1
    assert read["scoreboard_sockets"] == 3
    assert "process_resident_memory_bytes" in read
    assert CONTENT_TYPE.startswith("text/plain")


def test_two_applications_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.internal_errors.inc()
    assert samples(one)["scoreboard_internal_errors_total"] == 1
    assert samples(other)["scoreboard_internal_errors_total"] == 0
