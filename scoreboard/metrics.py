"""What the server counts about itself, in the text format of Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ROWS_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The counters of one application; each application has its own, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        PlatformCollector(self.registry)
        ProcessCollector(registry=self.registry)
        self.submissions = Counter(
            "scoreboard_submissions", "Submissions decided, by outcome.", ("status",), registry=self.registry
        )
        self.objections = Counter(
            "scoreboard_rule_objections",
            "Submissions that a rule objected to, by rule and by what was done for it; shadow: nothing.",
            ("rule", "enforcement"),
            registry=self.registry,
        )
        self.batch_rows = Histogram(
            "scoreboard_batch_rows",
            "Submissions carried by one transaction.",
            buckets=ROWS_BUCKETS,
            registry=self.registry,
        )
        self.commit_seconds = Histogram(
            "scoreboard_commit_seconds",
            "How long transactions of submissions took, waiting for the database included.",
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
        self.drift = Counter(
            "scoreboard_drift",
            "Standings that the ranking showed otherwise than the database, found and repaired.",
            registry=self.registry,
        )
        self.sockets = Gauge("scoreboard_sockets", "Open WebSockets.", registry=self.registry)
        self.internal_errors = Counter(
            "scoreboard_internal_errors",
            "Faults of the server's own; look for each in the log.",
            registry=self.registry,
        )

        self.refused = Counter(
            "scoreboard_refused",
            "What could have been done at another time, by code and by the limit that was met.",
            ("code", "limit"),
            registry=self.registry,
        )

        self.alerts = Counter("scoreboard_alerts", "Alerts raised, by cause.", ("cause",), registry=self.registry)
        self.alerts_active = Gauge(
            "scoreboard_alert_active", "1 while something is wrong, by cause.", ("cause",), registry=self.registry
        )
        self.alert_messages = Counter(
            "scoreboard_alert_messages",
            "Messages to the webhook, by outcome: sent, failed or dropped.",
            ("outcome",),
            registry=self.registry,
        )

        self.webhook_deliveries = Counter(
            "scoreboard_webhook_deliveries",
            "Tries to tell webhooks of events, by outcome: delivered, retried or failed.",
            ("outcome",),
            registry=self.registry,
        )

    def total(self, counter: Counter, **labels: str) -> float:
        """What a counter has come to, over all that has these labels."""
        return sum(
            sample.value
            for family in counter.collect()
            for sample in family.samples
            if sample.name.endswith("_total") and labels.items() <= sample.labels.items()
        )

    def wrong(self) -> set[str]:
        """The causes of alerts that something is wrong with now."""
        samples = (sample for family in self.alerts_active.collect() for sample in family.samples)
        return {sample.labels["cause"] for sample in samples if sample.value}

    def render(self) -> bytes:
        """Everything as text, of the type `CONTENT_TYPE`."""
        return generate_latest(self.registry)
