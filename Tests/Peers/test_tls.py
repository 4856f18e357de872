"""TLS on the listener: versions, certificates of both sides, renewal, and what is no TLS at all."""

import os
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from peers.gateway import Gateway, check, plain
from peers.waiting import until

BODY = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"%s"},"_meta":%s}}'
META = (
    '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},'
    '"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"}}'
)


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def certificate(folder, name, authority=None):
    """A certificate for localhost, signed by itself or by another one."""
    key, request, result = folder / f"{name}.key", folder / f"{name}.csr", folder / f"{name}.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    names = folder / f"{name}.ext"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    if authority is None:
        openssl(
            *("req", "-x509", "-new", "-key", key, "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", result),
        )
    else:
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        openssl(
            *("x509", "-req", "-in", request, "-CA", folder / f"{authority}.pem", "-CAkey", folder / f"{authority}.key"),
            *("-CAcreateserial", "-days", "2", "-extfile", names, "-out", result),
        )
    return result, key


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers")
    for name, authority in [("server", None), ("other", None), ("people", None), ("anna", "people"), ("eve", "other")]:
        certificate(folder, name, authority)
    return folder


@pytest.fixture
def serve(tmp_path, papers):
    """Starts gateways that speak TLS, each with copies of the certificate and key."""
    started = []

    def make(**tls):
        folder = tmp_path / f"gateway{len(started)}"
        folder.mkdir()
        shutil.copy(papers / "server.pem", folder / "cert.pem")
        shutil.copy(papers / "server.key", folder / "key.pem")
        paths = {"certificate": "cert.pem", "key": "key.pem"}
        gateway = Gateway(folder, {"plain": plain()}, {"tls": {**paths, **tls}}).start()
        started.append(gateway)
        return gateway

    yield make
    for gateway in started:
        assert gateway.terminate() == 0, gateway.tail()


def client(papers, trusted="server", **more):
    context = ssl.create_default_context(cafile=papers / f"{trusted}.pem")
    for name, value in more.items():
        setattr(context, name, value)
    return context


def connect(gateway, context):
    raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    return context.wrap_socket(raw, server_hostname="localhost")


def request(line, text=""):
    fields = [f"{line} HTTP/1.1", "Host: localhost", "Connection: close"]
    if text:
        fields += [
            "Content-Type: application/json",
            "Accept: application/json, text/event-stream",
            "MCP-Protocol-Version: 2026-07-28",
            "Mcp-Method: tools/call",
            "Mcp-Name: echo",
            f"Content-Length: {len(text)}",
        ]
    return ("\r\n".join(fields) + "\r\n\r\n" + text).encode()


def exchange(stream, data):
    stream.sendall(data)
    parts = []
    while part := stream.recv(65536):
        parts.append(part)
    return b"".join(parts)


def call(gateway, context, text="hello"):
    with connect(gateway, context) as stream:
        return exchange(stream, request("POST /mcp/plain", BODY % (text, META)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_calls_are_answered_over_both_versions(serve, papers, version):
    gateway = serve()
    context = client(papers, minimum_version=version, maximum_version=version)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with connect(gateway, context) as stream:
        assert stream.version() == {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]
        assert stream.selected_alpn_protocol() == "http/1.1"
        answer = exchange(stream, request("POST /mcp/plain", BODY % ("hello", META)))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and b"hello" in body
    assert b"\r\nStrict-Transport-Security: max-age=31536000\r\n" in head + b"\r\n"
    assert f"listening on https://127.0.0.1:{gateway.port}" in gateway.log


def test_older_versions_are_refused(serve, papers):
    gateway = serve(minimumVersion="1.3", hstsSeconds=0)
    with pytest.raises(ssl.SSLError):
        connect(gateway, client(papers, maximum_version=ssl.TLSVersion.TLSv1_2))
    assert b"Strict-Transport" not in call(gateway, client(papers))
    command = ["openssl", "s_client", "-tls1_1", "-connect", f"127.0.0.1:{gateway.port}"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=20)
    assert done.returncode != 0


def test_large_bodies_pass_both_ways(serve, papers):
    answer = call(serve(), client(papers), "x" * 1_000_000)
    assert answer.count(b"x" * 1_000_000) >= 1


def test_many_requests_pass_one_connection(serve, papers):
    gateway = serve()
    data = request("GET /healthz").replace(b"Connection: close\r\n", b"")
    with connect(gateway, client(papers)) as stream:
        for _ in range(50):
            stream.sendall(data)
            answer = b""
            while not answer.endswith(b"}"):
                answer += stream.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_plain_http_is_told_so(serve):
    gateway = serve()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as stream:
        answer = exchange(stream, request("GET /healthz"))
    assert answer.startswith(b"HTTP/1.1 400 ") and b"TLS" in answer


@pytest.mark.parametrize("data", [b"\x16\x03\x01\xff\xff" + b"\0" * 70000, os.urandom(4096), b"\x15\x03\x03\0\x02\x02\x28"])
def test_garbage_ends_its_connection_only(serve, papers, data):
    gateway = serve()
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as stream:
            try:
                exchange(stream, data)
            except ConnectionError:
                pass
    assert b" 200 " in call(gateway, client(papers))


def test_a_handshake_that_is_never_finished_is_given_up(tmp_path, papers):
    tls = {"certificate": str(papers / "server.pem"), "key": str(papers / "server.key")}
    gateway = Gateway(tmp_path, {"plain": plain()}, {"tls": tls, "timeouts": {"head": 0.5}}).start()
    try:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as stream:
            stream.sendall(b"\x16\x03\x01\x02\x00\x01")
            assert stream.recv(100) == b""
    finally:
        assert gateway.terminate() == 0


def test_clients_must_show_a_certificate_of_the_authority(serve, papers):
    gateway = serve(clientCertificates="required", clientAuthority=str(papers / "people.pem"))
    anna = client(papers)
    anna.load_cert_chain(papers / "anna.pem", papers / "anna.key")
    assert b" 200 " in call(gateway, anna)
    eve = client(papers)
    eve.load_cert_chain(papers / "eve.pem", papers / "eve.key")
    for stranger in (eve, client(papers)):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            assert b" 200 " not in call(gateway, stranger)
            raise ConnectionError("refused without a word")
    optional = serve(clientCertificates="optional", clientAuthority=str(papers / "people.pem"))
    assert b" 200 " in call(optional, client(papers)) and b" 200 " in call(optional, anna)


def test_a_renewed_certificate_is_used_without_a_restart(serve, papers):
    gateway = serve()
    assert b" 200 " in call(gateway, client(papers))
    (gateway.folder / "cert.pem").write_text("this is no certificate")
    until(lambda: "is kept" in gateway.log, "a word about the certificate")
    assert b" 200 " in call(gateway, client(papers)), "the old one is kept"
    shutil.copy(papers / "other.key", gateway.folder / "key.pem")
    shutil.copy(papers / "other.pem", gateway.folder / "cert.pem")
    end = time.monotonic() + 10
    while True:
        try:
            assert b" 200 " in call(gateway, client(papers, "other"))
            break
        except ssl.SSLError:
            assert time.monotonic() < end, gateway.tail()
            time.sleep(0.1)


def test_a_configuration_with_bad_files_does_not_start(tmp_path, papers):
    for certificate_file, key in [("server.pem", "other.key"), ("server.key", "server.key"), ("none.pem", "server.key")]:
        tls = {"certificate": str(papers / certificate_file), "key": str(papers / key)}
        document = {"mcpServers": {"plain": plain()}, "gateway": {"tls": tls, "port": 0}}
        for command in ("check", "serve"):
            status, _, words = check(tmp_path, document, command=command)
            assert status == 2
            assert "tls" in words and str(papers) in words, words
