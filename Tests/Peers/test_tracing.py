"""The place of a call in a trace: carried to servers, and told to a collector."""

import secrets

import pytest

from peers.collector import Collector
from peers.gateway import plain
from peers.metrics import value
from peers.raw import LegacySession, ModernClient
from peers.waiting import until

SERVERS = {"legacy": plain("--era", "legacy"), "modern": plain("--era", "modern")}
CANARY = "CANARY-for-the-collector"


@pytest.fixture(scope="module")
def collector():
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture(scope="module")
def gateway(make_gateway, collector):
    tracing = {"endpoint": collector.endpoint, "headers": {"X-Key": CANARY}, "serviceName": "the-gate"}
    return make_gateway(SERVERS, {"tracing": tracing})


@pytest.fixture(scope="module")
def untraced(make_gateway):
    return make_gateway(SERVERS)


def parent(flags="01"):
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, f"00-{trace}-{span}-{flags}"


def client_of(gateway, ledger, era, server):
    return LegacySession(gateway, ledger, server).open() if era == "legacy" else ModernClient(gateway, ledger, server)


def call(client, era, text, meta=None, changes=None, tool="echo"):
    params = LegacySession.tool(tool, text)
    if era == "modern":
        return client.request("tools/call", {**params, "_meta": meta or {}}, changes=changes)
    return client.request("tools/call", {**params, **({"_meta": meta} if meta else {})}, changes=changes)


def told(gateway, server, text):
    """The `_meta` of the call with a text, as the server's process read it."""
    found = [m["params"] for m in gateway.seen(server, "tools/call") if m["params"]["arguments"].get("text") == text]
    assert len(found) == 1, found
    return found[0].get("_meta", {})


@pytest.fixture(params=["legacy", "modern"])
def era(request):
    return request.param


@pytest.fixture(params=["legacy", "modern"])
def server(request):
    return request.param


def test_the_server_s_parent_is_the_gateway_s_span_whose_parent_is_the_client_s(gateway, collector, ledger, era, server):
    client = client_of(gateway, ledger, era, server)
    client.request("tools/list")
    trace, span, text = parent()
    mark = secrets.token_hex(4)
    answer = call(client, era, mark, {"traceparent": text, "tracestate": "vendor=1", "baggage": "user=7", "own": [1]})
    assert answer["result"]["content"][0]["text"] == mark
    (exported,) = collector.wait(trace)
    assert exported["parentSpanId"] == span
    assert exported["name"] == "tools/call echo"
    assert exported["kind"] == 2
    assert exported["service"] == "the-gate"
    named = exported["named"]
    assert named["mcp.method.name"] == "tools/call"
    assert named["gen_ai.tool.name"] == "echo"
    assert named["gatehouse.server"] == server
    assert named["gatehouse.era"] == era
    assert named["gatehouse.outcome"] == "ok"
    assert "status" not in exported
    meta = told(gateway, server, mark)
    assert meta["traceparent"] == f"00-{trace}-{exported['spanId']}-01"
    assert (meta["tracestate"], meta["baggage"], meta["own"]) == ("vendor=1", "user=7", [1])


def test_fields_of_http_are_carried_into_the_message(gateway, collector, ledger, era, server):
    client = client_of(gateway, ledger, era, server)
    trace, span, text = parent()
    mark = secrets.token_hex(4)
    call(client, era, mark, changes={"traceparent": text, "tracestate": "a=1,b=2", "baggage": "k=v"})
    (exported,) = collector.wait(trace)
    assert exported["parentSpanId"] == span
    meta = told(gateway, server, mark)
    assert meta["traceparent"] == f"00-{trace}-{exported['spanId']}-01"
    assert (meta["tracestate"], meta["baggage"]) == ("a=1,b=2", "k=v")


def test_the_message_goes_before_the_fields(gateway, collector, ledger, era):
    client = client_of(gateway, ledger, era, "modern")
    trace, span, text = parent()
    call(client, era, "x", {"traceparent": text}, changes={"traceparent": parent()[2]})
    (exported,) = collector.wait(trace)
    assert exported["parentSpanId"] == span


def test_a_trace_begins_here_if_the_client_named_none_or_a_bad_one(gateway, collector, ledger, era, server):
    client = client_of(gateway, ledger, era, server)
    bad = "00-" + "0" * 32 + "-00f067aa0ba902b7-01"
    for meta in (None, {"traceparent": bad}, {"traceparent": 7}, {"traceparent": "x\"y"}):
        mark = secrets.token_hex(4)
        call(client, era, mark, meta)
        version, trace, span, flags = told(gateway, server, mark)["traceparent"].split("-")
        assert (version, flags) == ("00", "03")
        (exported,) = collector.wait(trace)
        assert exported["spanId"] == span
        assert "parentSpanId" not in exported


def test_what_the_client_does_not_record_is_carried_and_not_exported(gateway, collector, ledger, era):
    client = client_of(gateway, ledger, era, "legacy")
    trace, span, text = parent("00")
    mark = secrets.token_hex(4)
    call(client, era, mark, {"traceparent": text})
    told_trace = told(gateway, "legacy", mark)["traceparent"].split("-")
    assert told_trace[1] == trace and told_trace[2] != span and told_trace[3] == "00"
    later, _, text = parent()
    call(client, era, "later", {"traceparent": text})
    collector.wait(later)
    assert not collector.of(trace)


def test_a_call_that_fails_is_a_span_that_failed(gateway, collector, ledger, era):
    client = client_of(gateway, ledger, era, "legacy")
    trace, _, text = parent()
    assert "error" in call(client, era, "x", {"traceparent": text}, tool="crash")
    (exported,) = collector.wait(trace)
    assert exported["status"]["code"] == 2
    assert exported["named"]["gatehouse.source"] == "upstream"
    assert exported["named"]["error.type"] == "failed"


def test_a_request_without_parameters_gets_some(gateway, collector, ledger):
    session = LegacySession(gateway, ledger, "legacy").open()
    trace, _, text = parent()
    assert session.request("tools/list", changes={"traceparent": text})["result"]["tools"]
    (exported,) = collector.wait(trace)
    assert exported["name"] == "tools/list"
    asked = [m for m in gateway.seen("legacy", "tools/list") if trace in str(m)]
    assert [m["params"]["_meta"]["traceparent"].split("-")[2] for m in asked] == [exported["spanId"]]


def test_the_collector_gets_its_fields_and_nobody_else_learns_them(gateway, collector, ledger):
    client = ModernClient(gateway, ledger, "modern")
    trace, _, text = parent()
    call(client, "modern", "x", {"traceparent": text})
    collector.wait(trace)
    path, fields, _ = collector.requests[-1]
    assert path == "/v1/traces"
    assert fields["Content-Type"] == "application/json"
    assert fields["X-Key"] == CANARY
    assert CANARY not in gateway.log


def test_spans_wait_while_the_collector_is_busy_and_are_sent_later(gateway, collector, ledger):
    client = ModernClient(gateway, ledger, "modern")
    lost = value(gateway, "gatehouse_spans_dropped_total")
    collector.status = 503
    before = len(collector.requests)
    trace, _, text = parent()
    call(client, "modern", "x", {"traceparent": text})
    until(lambda: len(collector.requests) > before, "a request that is refused", timeout=20)
    assert value(gateway, "gatehouse_spans_waiting") >= 1
    collector.status = 200
    assert len(collector.wait(trace)) == 1
    assert value(gateway, "gatehouse_spans_dropped_total") == lost


def test_what_waits_is_sent_at_the_end(make_gateway, collector, ledger):
    gateway = make_gateway(SERVERS, {"tracing": {"endpoint": collector.endpoint, "serviceName": "ending"}})
    trace, _, text = parent()
    call(ModernClient(gateway, ledger, "modern"), "modern", "x", {"traceparent": text})
    assert gateway.terminate() == 0
    assert [span["service"] for span in collector.of(trace)] == ["ending"]


def test_no_trace_is_recorded_where_none_is_wanted(make_gateway, collector, ledger):
    tracing = {"endpoint": collector.endpoint, "serviceName": "never", "sampleRatio": 0}
    gateway = make_gateway(SERVERS, {"tracing": tracing})
    call(ModernClient(gateway, ledger, "modern"), "modern", "alone")
    assert told(gateway, "modern", "alone")["traceparent"].endswith("-02")
    assert gateway.terminate() == 0
    assert not [span for span in collector.spans if span["service"] == "never"]


def test_without_tracing_messages_pass_as_they_are(untraced, ledger, era, server):
    client = client_of(untraced, ledger, era, server)
    mark = secrets.token_hex(4)
    _, _, text = parent()
    call(client, era, mark + "with", {"traceparent": text, "tracestate": "a=1"})
    meta = told(untraced, server, mark + "with")
    assert (meta["traceparent"], meta["tracestate"]) == (text, "a=1")
    call(client, era, mark + "without")
    assert "traceparent" not in told(untraced, server, mark + "without")


def test_without_tracing_fields_of_http_are_still_carried(untraced, ledger, era, server):
    client = client_of(untraced, ledger, era, server)
    mark = secrets.token_hex(4)
    _, _, text = parent()
    call(client, era, mark + "fields", changes={"traceparent": text, "tracestate": "a=1"})
    meta = told(untraced, server, mark + "fields")
    assert (meta["traceparent"], meta["tracestate"]) == (text, "a=1")
    call(client, era, mark + "bad fields", changes={"traceparent": text.upper()})
    assert "traceparent" not in told(untraced, server, mark + "bad fields")
