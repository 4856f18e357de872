"""HTTP/1.1 in the strict profile (threats.md §3): what is ambiguous is refused, and nothing after it is heard."""

import time

import pytest
from peers.gateway import plain
from peers.raw import LegacySession, ModernClient, encoded
from peers.wire import Closed, Connection, once, raw

SERVERS = {"plain": plain()}
SETTINGS = {"timeouts": {"head": 1, "body": 1, "idle": 1.5}}
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def post(fields, body=b"", start=b"POST /mcp/plain HTTP/1.1"):
    kind = b"Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
    return start + b"\r\nHost: 127.0.0.1\r\n" + kind + fields + b"\r\n" + body


def get(fields=b"", start=b"GET /healthz HTTP/1.1"):
    return start + b"\r\nHost: 127.0.0.1\r\n" + fields + b"\r\n"


CHUNK = b"Transfer-Encoding: chunked\r\n"
FRAMING = {
    "both lengths": post(b"Content-Length: 4\r\n" + CHUNK, b"0\r\n\r\n"),
    "both lengths, other order": post(CHUNK + b"Content-Length: 4\r\n", b"0\r\n\r\n"),
    "two equal lengths": post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"),
    "two lengths": post(b"Content-Length: 2\r\nContent-Length: 20\r\n", b"{}"),
    "a list of lengths": post(b"Content-Length: 2, 2\r\n", b"{}"),
    "a length with a plus": post(b"Content-Length: +2\r\n", b"{}"),
    "a negative length": post(b"Content-Length: -2\r\n", b"{}"),
    "a length of minus nothing": post(b"Content-Length: -0\r\n"),
    "a length in hexadecimal": post(b"Content-Length: 0x2\r\n", b"{}"),
    "a length with a letter": post(b"Content-Length: 2a\r\n", b"{}"),
    "a length with an underscore": post(b"Content-Length: 1_0\r\n", b"{}"),
    "a length with a zero before": post(b"Content-Length: 02\r\n", b"{}"),
    "an empty length": post(b"Content-Length: \r\n", b"{}"),
    "a length beyond all bounds": post(b"Content-Length: 18446744073709551618\r\n", b"{}"),
    "a coding before chunked": post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
    "chunked in two fields": post(CHUNK + CHUNK, b"0\r\n\r\n"),
    "chunked not last": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    "an unknown coding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "identity": post(b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "a coding with a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "a coding with a NUL": post(b"Transfer-Encoding: chunked\0\r\n", b"0\r\n\r\n"),
    "a quoted coding": post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"),
    "a space before the colon": post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    "a folded coding": post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    "chunks in HTTP/1.0": post(CHUNK, b"0\r\n\r\n", b"POST /mcp/plain HTTP/1.0"),
    "a chunk size with 0x": post(CHUNK, b"0x2\r\n{}\r\n0\r\n\r\n"),
    "a chunk size with a plus": post(CHUNK, b"+2\r\n{}\r\n0\r\n\r\n"),
    "a chunk size with a space": post(CHUNK, b"2 \r\n{}\r\n0\r\n\r\n"),
    "a chunk size with a space before": post(CHUNK, b" 2\r\n{}\r\n0\r\n\r\n"),
    "an empty chunk size": post(CHUNK, b"\r\n{}\r\n0\r\n\r\n"),
    "a chunk size of 17 digits": post(CHUNK, b"00000000000000002\r\n{}\r\n0\r\n\r\n"),
    "a huge chunk size": post(CHUNK, b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    "a negative chunk size": post(CHUNK, b"-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk that ends with a bare line feed": post(CHUNK, b"2\r\n{}\n0\r\n\r\n"),
    "a size that ends with a bare line feed": post(CHUNK, b"2\n{}\r\n0\r\n\r\n"),
    "a chunk without its end": post(CHUNK, b"2\r\n{}0\r\n\r\n"),
    "a line feed in an extension": post(CHUNK, b"2;a\nb\r\n{}\r\n0\r\n\r\n"),
    "a carriage return in an extension": post(CHUNK, b"2;a\rb\r\n{}\r\n0\r\n\r\n"),
    "too long extensions": post(CHUNK, b"2;" + b"a" * 2000 + b"\r\n{}\r\n0\r\n\r\n"),
    "a trailer with a space before the colon": post(CHUNK, b"2\r\n{}\r\n0\r\nX : y\r\n\r\n"),
}
HEADS = {
    "a folded field": get(b"X-A: b\r\n c: d\r\n"),
    "a folded field with a tab": get(b"X-A: b\r\n\tc\r\n"),
    "a space before the first field": b"GET /healthz HTTP/1.1\r\n Host: 127.0.0.1\r\n\r\n",
    "a bare line feed": b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n",
    "one bare line feed": get(b"X-A: b\nX-C: d\r\n"),
    "a bare carriage return": get(b"X-A: b\rX-C: d\r\n"),
    "a NUL in a value": get(b"X-A: b\0c\r\n"),
    "a control character in a value": get(b"X-A: b\x01c\r\n"),
    "an escape in a value": get(b"X-A: \x1b[31m\r\n"),
    "a DEL in a value": get(b"X-A: \x7f\r\n"),
    "an empty name": get(b": b\r\n"),
    "a name with a space": get(b"X A: b\r\n"),
    "a space before a colon": get(b"X-A : b\r\n"),
    "a name with a bracket": get(b"X[A]: b\r\n"),
    "a name beyond ASCII": get("X-Ä: b\r\n".encode()),
    "a field without a colon": get(b"nonsense\r\n"),
    "two spaces in the first line": b"GET  /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a tab in the first line": b"GET\t/healthz\tHTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a space after the version": b"GET /healthz HTTP/1.1 \r\nHost: 127.0.0.1\r\n\r\n",
    "a space before the method": b" GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "no version": b"GET /healthz\r\nHost: 127.0.0.1\r\n\r\n",
    "http in lower case": b"GET /healthz http/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "HTTP/1.2": get(start=b"GET /healthz HTTP/1.2"),
    "HTTP/2.0": get(start=b"GET /healthz HTTP/2.0"),
    "HTTP/0.9": get(start=b"GET /healthz HTTP/0.9"),
    "HTTP/1.10": get(start=b"GET /healthz HTTP/1.10"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a target beyond ASCII": get(start="GET /heälthz HTTP/1.1".encode()),
    "a control character in the target": get(start=b"GET /health\x01z HTTP/1.1"),
    "a fragment in the target": get(start=b"GET /healthz#x HTTP/1.1"),
    "a relative target": get(start=b"GET healthz HTTP/1.1"),
    "an asterisk for GET": get(start=b"GET * HTTP/1.1"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
    "nothing but noise": bytes(range(128, 256)) * 4 + b"\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", FRAMING.values(), ids=FRAMING.keys())
def test_a_doubtful_length_is_refused_and_nothing_after_it_is_heard(gateway, request_bytes):
    statuses, closed = raw(gateway.port, request_bytes + SMUGGLED, timeout=4)
    assert len(statuses) <= 1, f"the smuggled request was answered: {statuses}"
    assert closed, "the connection stays open"
    assert not statuses or statuses[0] in (400, 413, 431, 501, 505), statuses


@pytest.mark.parametrize("request_bytes", HEADS.values(), ids=HEADS.keys())
def test_a_doubtful_head_is_refused_and_nothing_after_it_is_heard(gateway, request_bytes):
    statuses, closed = raw(gateway.port, request_bytes + SMUGGLED, timeout=4)
    assert len(statuses) <= 1, f"the smuggled request was answered: {statuses}"
    assert closed, "the connection stays open"
    assert not statuses or statuses[0] in (400, 404, 501, 505), statuses


@pytest.mark.parametrize(
    "request_bytes, status",
    [
        (get(start=b"GET /" + b"a" * 9000 + b" HTTP/1.1"), 414),
        (get(b"X-A: " + b"b" * 20000 + b"\r\n"), 431),
        (get(b"".join(b"X-%d: y\r\n" % n for n in range(200))), 431),
        (get(b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(80))), 431),
    ],
    ids=["target", "field", "number of fields", "head"],
)
def test_a_head_beyond_its_limits_is_refused(gateway, request_bytes, status):
    statuses, closed = raw(gateway.port, request_bytes, timeout=4)
    assert closed and statuses in ([status], [])
    assert raw(gateway.port, get(b"Connection: close\r\n"), timeout=4)[0] == [200]


def test_a_head_without_end_is_cut_off_within_its_limit(gateway):
    with Connection(gateway.port) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        sent = connection.send_while_accepted(b"X-A: b\r\n" * 4_000_000, piece=1 << 16)
    assert sent < 8 << 20


def test_a_request_that_comes_byte_by_byte_is_understood(gateway, ledger):
    client = ModernClient(gateway, ledger)
    message = client.message("tools/call", {"name": "echo", "arguments": {"text": "slow"}})
    fields = "".join(f"{name}: {value}\r\n" for name, value in client.fields(message))
    body = encoded(message)
    head = f"POST /mcp/plain HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    with Connection(gateway.port) as connection:
        for byte in head.encode() + body:
            connection.send(bytes([byte]))
        assert connection.read().status == 200


def test_pipelined_requests_are_answered_in_their_order(gateway):
    paths = [b"/healthz", b"/nothing", b"/readyz", b"/nothing", b"/mcp/health"]
    with Connection(gateway.port) as connection:
        connection.send(b"".join(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path for path in paths))
        statuses = []
        for _ in paths:
            reply = connection.read()
            reply.body()
            statuses.append(reply.status)
    assert statuses == [200, 404, 200, 404, 200]


def test_pipelined_calls_are_answered_in_their_order(gateway, ledger):
    client = ModernClient(gateway, ledger)
    data, wanted = b"", []
    for number in range(30):
        message = client.message("tools/call", {"name": "echo", "arguments": {"text": f"n{number}"}}, id=number)
        fields = "".join(f"{name}: {value}\r\n" for name, value in client.fields(message))
        body = encoded(message)
        data += f"POST /mcp/plain HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode()
        data += body
        wanted.append((number, f"n{number}"))
    with Connection(gateway.port) as connection:
        connection.send(data)
        found = []
        for _ in wanted:
            answer = connection.read().json()
            found.append((answer["id"], answer["result"]["content"][0]["text"]))
    assert found == wanted


def test_one_connection_serves_many_requests(gateway):
    with Connection(gateway.port) as connection:
        for _ in range(50):
            reply = connection.request("GET", "/healthz")
            assert reply.status == 200 and reply.json()


def test_connection_close_is_obeyed(gateway):
    with Connection(gateway.port) as connection:
        reply = connection.request("GET", "/healthz", [("Connection", "close")])
        assert reply.status == 200 and (reply.header("connection") or "").lower() == "close"
        reply.body()
        assert connection.is_ended()


def test_http_1_0_is_answered_without_chunks_and_closed(gateway):
    with Connection(gateway.port) as connection:
        connection.send(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        reply = connection.read()
        assert reply.status == 200 and reply.header("transfer-encoding") is None
        assert reply.json()
        assert connection.is_ended()


def test_an_upgrade_is_not_taken(gateway):
    fields = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]
    assert once(gateway.port, "GET", "/healthz", fields).status == 200
    fields = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    assert once(gateway.port, "GET", "/healthz", fields).status == 200


def test_trailers_have_no_effect(gateway):
    body = b"2\r\n{}\r\n0\r\nHost: evil.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    statuses, _ = raw(gateway.port, post(CHUNK, body) + get(b"Connection: close\r\n"), timeout=4)
    assert statuses in ([400, 200], [400])


def test_a_body_that_nobody_reads_does_not_become_a_request(gateway):
    inner = b"GET /mcp/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    data = b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s" % (len(inner), inner)
    statuses, _ = raw(gateway.port, data + b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 4)
    assert statuses in ([404, 200], [404], [400])


def test_a_client_that_ends_sending_still_gets_its_answer(gateway):
    with Connection(gateway.port) as connection:
        connection.send(get())
        connection.end_sending()
        assert connection.read().status == 200


@pytest.mark.parametrize("start", [b"", b"G", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A"])
def test_a_head_that_does_not_come_is_given_up(gateway, start):
    began = time.monotonic()
    with Connection(gateway.port) as connection:
        connection.send(start)
        try:
            assert connection.read(timeout=8).status == 408
        except Closed:
            pass
    assert time.monotonic() - began < 8


def test_a_head_that_trickles_is_given_up(gateway):
    began = time.monotonic()
    with Connection(gateway.port) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\n")
        while time.monotonic() - began < 8:
            if connection.send_while_accepted(b"X-A: b\r\n") == 0 or connection.is_ended(timeout=0.2):
                break
            if connection._buffer:  # the refusal has come
                break
        else:
            pytest.fail("a head of one field per 0.2 s was waited for")


def test_a_body_that_does_not_come_is_given_up(gateway):
    with Connection(gateway.port) as connection:
        connection.send(post(b"Content-Length: 100\r\n", b'{"jsonrpc"'))
        try:
            assert connection.read(timeout=8).status == 408
        except Closed:
            pass


def test_an_idle_connection_is_closed_and_a_busy_one_is_not(gateway, ledger, tmp_path):
    session = LegacySession(gateway, ledger).open()
    stream = session.stream()
    with Connection(gateway.port) as connection:
        connection.request("GET", "/healthz").body()
        assert connection.is_ended(timeout=8)
    session.call("unprompted")
    assert stream.message()["method"] == "roots/list", "an open stream is not idle"
    session.delete()


def test_slow_clients_do_not_hold_up_others(gateway, ledger):
    slow = [Connection(gateway.port) for _ in range(50)]
    for connection in slow:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: ")
    began = time.monotonic()
    client = ModernClient(gateway, ledger)
    for number in range(20):
        assert client.call("echo", str(number))["content"][0]["text"] == str(number)
    assert time.monotonic() - began < 5
    for connection in slow:
        connection.close()
