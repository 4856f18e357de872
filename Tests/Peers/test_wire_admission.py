"""Who and what is let in: Host, Origin, content types, CORS, sizes, paths, methods (threats.md M4 to M6, M12, M28)."""

import json
import re

import pytest
from peers.gateway import plain
from peers.raw import ACCEPT, LegacySession, ModernClient, encoded, rpc
from peers.waiting import until
from peers.wire import Connection, once

LIMIT = 100_000
SERVERS = {"plain": plain(), "off": plain(enabled=False)}
SETTINGS = {
    "hosts": ["gateway.example", "with-port.example:8443"],
    "origins": ["https://app.example", "http://tool.example:5173"],
    "limits": {"body": LIMIT},
}


@pytest.fixture
def client(gateway, ledger):
    return ModernClient(gateway, ledger)


def call(client, changes=None, host=None, extra=()):
    message = client.message("tools/call", {"name": "echo", "arguments": {"text": "x"}})
    fields = [*client.fields(message, changes), *extra]
    return once(client.gateway.port, "POST", client.path, fields, encoded(message), client.ledger, host=host)


def calls(gateway):
    return len(gateway.seen("plain", "tools/call"))


def hosts(port):
    return [
        "evil.test",
        f"evil.test:{port}",
        f"localhost.evil.test:{port}",
        f"127.0.0.1.evil.test:{port}",
        "127.0.0.1.nip.io",
        "notlocalhost",
        "localhost.",
        "0.0.0.0",
        "127.0.0.2.xip.io",
        "sub.gateway.example",
        "with-port.example",
        "with-port.example:8444",
        "[::2]",
        "169.254.169.254",
    ]


def test_a_foreign_host_is_refused_before_anything_is_read(gateway, client):
    before = calls(gateway)
    for host in hosts(gateway.port):
        if host == "localhost.":
            continue
        for path in (client.path, "/healthz"):
            reply = call(client, host=host) if path == client.path else once(gateway.port, "GET", path, host=host)
            assert reply.status in (403, 421), f"{host} {path}: {reply.status}"
    assert calls(gateway) == before


def test_names_of_this_machine_and_configured_ones_are_let_in(gateway, client):
    port = gateway.port
    for host in (
        f"127.0.0.1:{port}",
        f"localhost:{port}",
        f"LOCALHOST:{port}",
        "localhost",
        f"[::1]:{port}",
        "gateway.example",
        "Gateway.Example:1234",
        "with-port.example:8443",
    ):
        assert call(client, host=host).status == 200, host


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["127.0.0.1", "127.0.0.1"],
        ["127.0.0.1", "evil.test"],
        [""],
        ["user@127.0.0.1"],
        ["127.0.0.1/x"],
        ["127.0.0.1 evil.test"],
        ["127.0.0.1, evil.test"],
        ["127.0.0.1:99999"],
        ["127.0.0.1:x"],
        ["127.0.0.1:"],
    ],
)
def test_a_malformed_host_is_refused(gateway, hosts):
    head = b"GET /healthz HTTP/1.1\r\n" + b"".join(f"Host: {host}\r\n".encode() for host in hosts) + b"\r\n"
    with Connection(gateway.port) as connection:
        connection.send(head)
        status = connection.read().status
        assert status in (400, 403, 421) or hosts == ["127.0.0.1:"] and status == 200


def test_the_host_of_an_absolute_target_counts(gateway):
    for target, host, wanted in (
        ("http://evil.test/healthz", "127.0.0.1", (400, 403, 421)),
        ("http://127.0.0.1/healthz", "127.0.0.1", (200,)),
        ("http://127.0.0.1/healthz", "evil.test", (400, 403, 421)),
    ):
        reply = once(gateway.port, "GET", target, host=host)
        assert reply.status in wanted, (target, host)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "null",
        "https://app.example.evil.test",
        "http://app.example",
        "https://app.example:444",
        "http://localhost.evil.test",
        "https://evil.test, https://app.example",
        "file://",
        "app.example",
    ],
)
def test_a_foreign_origin_is_refused_with_403(gateway, client, origin):
    before = calls(gateway)
    reply = call(client, {"Origin": origin})
    assert reply.status == 403
    assert reply.header("access-control-allow-origin") is None
    assert calls(gateway) == before
    session = LegacySession(gateway, None)
    assert session.post(session.offer(), {"Origin": origin}).status == 403


def test_two_origins_are_refused(gateway, client):
    reply = call(client, {"Origin": "https://app.example"}, extra=[("Origin", "https://evil.test")])
    assert reply.status in (400, 403)


@pytest.mark.parametrize("origin", ["https://app.example", "HTTPS://APP.EXAMPLE", "http://tool.example:5173"])
def test_a_listed_origin_is_let_in_and_told_so(client, origin):
    reply = call(client, {"Origin": origin})
    assert reply.status == 200
    assert reply.header("access-control-allow-origin") == origin
    assert "origin" in (reply.header("vary") or "").lower()
    exposed = (reply.header("access-control-expose-headers") or "").lower()
    assert "mcp-session-id" in exposed and "www-authenticate" in exposed


def test_a_loopback_origin_and_none_at_all_are_let_in(gateway, client):
    for origin in (None, "http://localhost:3000", f"http://127.0.0.1:{gateway.port}", "http://[::1]:8080"):
        assert call(client, {"Origin": origin}).status == 200, origin


def test_a_request_from_another_site_is_refused(client):
    assert call(client, {"Sec-Fetch-Site": "cross-site"}).status == 403
    for site in ("same-origin", "none"):
        assert call(client, {"Sec-Fetch-Site": site}).status == 200, site


def preflight(gateway, origin, path="/mcp/plain"):
    fields = [
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name"),
    ]
    return once(gateway.port, "OPTIONS", path, fields)


def test_a_preflight_from_a_listed_origin_is_answered(gateway):
    reply = preflight(gateway, "https://app.example")
    assert reply.status in (200, 204)
    assert reply.header("access-control-allow-origin") == "https://app.example"
    methods = set(re.split(r"[,\s]+", reply.header("access-control-allow-methods")))
    assert {"POST", "GET", "DELETE"} <= methods and "*" not in methods
    allowed = (reply.header("access-control-allow-headers") or "").lower()
    assert all(name in allowed for name in ("content-type", "mcp-session-id", "mcp-protocol-version", "mcp-method"))
    assert "*" not in allowed and reply.header("access-control-allow-credentials") is None
    assert "origin" in reply.header("vary").lower()


@pytest.mark.parametrize("origin", ["https://evil.test", "null"])
def test_a_preflight_from_elsewhere_gets_no_permission(gateway, origin):
    reply = preflight(gateway, origin)
    assert reply.header("access-control-allow-origin") is None
    assert reply.header("access-control-allow-methods") is None


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/json-rpc",
        "text/json",
        "application/json, text/plain",
        "application",
    ],
)
def test_another_content_type_is_refused_with_415(gateway, client, kind):
    before = calls(gateway)
    assert call(client, {"Content-Type": kind}).status == 415
    session = LegacySession(gateway, None)
    assert session.post(session.offer(), {"Content-Type": kind}).status == 415
    assert calls(gateway) == before


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"])
def test_parameters_and_case_of_the_content_type_do_not_matter(client, kind):
    assert call(client, {"Content-Type": kind}).status == 200


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "text/html", "application/xml, image/*"])
def test_an_accept_that_lacks_a_type_is_refused_with_406(gateway, client, accept):
    assert call(client, {"Accept": accept}).status == 406
    session = LegacySession(gateway, None)
    assert session.post(session.offer(), {"Accept": accept}).status == 406


@pytest.mark.parametrize("accept", ["*/*", "text/event-stream, application/json", "application/json;q=0.9,text/event-stream;q=1"])
def test_other_spellings_of_accept_are_taken(client, accept):
    assert call(client, {"Accept": accept}).status == 200


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip"])
def test_a_compressed_body_is_refused_with_415(gateway, client, coding):
    before = calls(gateway)
    assert call(client, {"Content-Encoding": coding}).status == 415
    assert calls(gateway) == before


def body_of(client, size):
    message = client.message("tools/call", {"name": "echo", "arguments": {"text": ""}})
    text = json.dumps(message)
    message["params"]["arguments"]["text"] = "x" * (size - len(text))
    return message, json.dumps(message).encode()


def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(client):
    for size, wanted in ((LIMIT, 200), (LIMIT + 1, 413)):
        message, body = body_of(client, size)
        assert len(body) == size
        reply = once(client.gateway.port, "POST", client.path, client.fields(message), body, client.ledger)
        assert reply.status == wanted


def test_a_declared_body_beyond_the_limit_is_refused_before_it_is_sent(gateway, client):
    with Connection(gateway.port) as connection:
        fields = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: {ACCEPT}\r\n"
        connection.send(f"POST /mcp/plain HTTP/1.1\r\n{fields}Content-Length: {LIMIT * 1000}\r\n\r\n".encode())
        reply = connection.read()
        assert reply.status == 413
        reply.body()
        assert connection.is_ended(), "the connection closes"


def test_a_chunked_body_beyond_the_limit_is_refused_while_it_comes(gateway):
    with Connection(gateway.port) as connection:
        fields = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: {ACCEPT}\r\n"
        connection.send(f"POST /mcp/plain HTTP/1.1\r\n{fields}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
        sent = connection.send_while_accepted(chunk * 2000, piece=len(chunk))
        assert sent < len(chunk) * 2000, "it was all taken"
        try:
            assert connection.read().status == 413
        except Exception as error:  # noqa: BLE001
            assert "closed" in str(error), error


def test_a_chunked_body_within_the_limit_is_taken(client):
    message, body = body_of(client, 5000)
    pieces = [body[at : at + 700] for at in range(0, len(body), 700)]
    chunked = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX-Trailer: y\r\n\r\n"
    fields = [*client.fields(message), ("Transfer-Encoding", "chunked")]
    reply = once(client.gateway.port, "POST", client.path, fields, chunked)
    assert reply.status == 200


def test_expect_100_is_answered_before_the_body_and_not_when_it_is_refused(gateway, client):
    message, body = body_of(client, 2000)
    fields = [("Host", "127.0.0.1"), *client.fields(message), ("Expect", "100-continue")]

    def head(length):
        lines = [*fields, ("Content-Length", str(length))]
        return ("POST /mcp/plain HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines) + "\r\n").encode()

    with Connection(gateway.port) as connection:
        connection.send(head(len(body)))
        import time

        line = connection.line(time.monotonic() + 5)
        assert line.startswith(b"HTTP/1.1 100")
        assert connection.line(time.monotonic() + 5) == b""
        connection.send(body)
        assert connection.read().status == 200
    with Connection(gateway.port) as connection:
        connection.send(head(LIMIT + 1))
        assert connection.line(time.monotonic() + 5).startswith(b"HTTP/1.1 413")


def test_another_expectation_is_refused_with_417(client):
    assert call(client, {"Expect": "something-else"}).status == 417


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/mcp/nothing",
        "/mcp/off",
        "/mcp/plain/more",
        "/mcp/PLAIN",
        "//mcp/plain",
        "/mcp//plain",
        "/mcp/..%2fplain",
        "/mcp/%2e%2e/mcp/plain",
        "/mcp/../mcp/plain",
        "/mcp/plain%00",
        "/mcp/pl%61in%5c",
        "/mcp/plain;x=1",
        "/api/api/mcp/plain",
        "/mcpplain",
    ],
)
def test_a_path_that_leads_nowhere_is_404(gateway, ledger, path):
    session = LegacySession(gateway, ledger)
    session.path = path
    reply = session.post(session.offer())
    assert reply.status in (400, 404), reply.status
    assert reply.header("mcp-session-id") is None


@pytest.mark.parametrize("path", ["/mcp/plain", "/mcp/health", "/healthz", "/readyz"])
def test_health_is_told_as_json(gateway, path):
    for fields in ([], [("Accept", "application/json")], [("Accept", "*/*")]):
        if path == "/mcp/plain" and fields and fields[0][1] == "*/*":
            continue
        reply = once(gateway.port, "GET", path, fields)
        assert reply.status == 200, (path, fields)
        assert reply.kind == "application/json" and isinstance(reply.json(), dict)


def test_head_is_answered_like_get_without_a_body(gateway):
    with Connection(gateway.port) as connection:
        reply = connection.request("HEAD", "/healthz")
        assert reply.status == 200
        assert connection.request("GET", "/healthz").json()


def test_options_without_an_origin_names_the_methods(gateway):
    reply = once(gateway.port, "OPTIONS", "/mcp/plain")
    assert reply.status in (200, 204)
    assert {"POST", "GET", "DELETE"} <= set(re.split(r"[,\s]+", reply.header("allow") or ""))


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "BREW", "get", "PROPFIND"])
def test_other_methods_are_refused(gateway, method):
    target = "127.0.0.1:80" if method == "CONNECT" else "/mcp/plain"
    assert once(gateway.port, method, target).status in (400, 405, 501)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_health_takes_no_other_method(gateway, method):
    reply = once(gateway.port, method, "/healthz", [("Content-Type", "application/json")], b"{}")
    assert reply.status == 405 and "GET" in (reply.header("allow") or "")


def test_a_server_that_is_turned_off_has_no_process(gateway):
    assert gateway.children("off") == []


def test_no_answer_names_the_program_or_its_version_beyond_need(gateway):
    reply = once(gateway.port, "GET", "/healthz")
    assert "powered" not in " ".join(name.lower() for name, _ in reply.headers)


def test_credentials_of_the_client_do_not_reach_the_child(gateway, client):
    secrets = {"Authorization": "Bearer canary-7", "Cookie": "s=canary-8", "Proxy-Authorization": "Basic canary-9"}
    reply = call(client, secrets)
    assert reply.status in (200, 401)
    until(lambda: gateway.seen("plain", "tools/call"), "a call at the child")
    assert "canary" not in json.dumps(gateway.journal("plain"))
    assert "canary" not in gateway.log


def test_a_secret_in_a_refused_request_is_not_logged(gateway, ledger):
    once(gateway.port, "POST", "/mcp/plain?access_token=canary-10", [("Authorization", "Bearer canary-11")], b"{}")
    session = LegacySession(gateway, ledger)
    session.id = "canary-12"
    session.post(rpc("ping", id=1))
    once(gateway.port, "GET", "/healthz")
    assert "canary-11" not in gateway.log and "canary-10" not in gateway.log
