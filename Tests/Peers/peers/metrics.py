"""What a gateway counts, read by the parsers of the Prometheus client."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus

from peers.wire import once

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def scrape(gateway, accept=None):
    """The families by name."""
    reply = once(gateway.port, "GET", "/metrics", [("Accept", accept)] if accept else [])
    assert reply.status == 200
    text = reply.body().decode()
    if reply.header("content-type").startswith("application/openmetrics-text"):
        families = list(read_openmetrics(text))
    else:
        assert reply.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
        families = list(read_prometheus(text))
    return {family.name: family for family in families}


def value(gateway, name, **labels):
    """The sum of the samples of a name that have these labels."""
    samples = [sample for family in scrape(gateway).values() for sample in family.samples if sample.name == name]
    return sum(s.value for s in samples if all(s.labels.get(key) == label for key, label in labels.items()))
