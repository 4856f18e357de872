"""TLS on the listener, as clients of others see it: httpx, the SDK's client, and the ssl module."""

import json
import shutil
import socket
import ssl

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from peers.certificates import make_certificate
from peers.gateway import check, plain, run
from peers.waiting import until


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def secure(make_gateway, folder):
    certificate, key = make_certificate(folder)
    tls = {"certificate": str(certificate), "key": str(key), "hstsSeconds": 60}
    return make_gateway({"plain": plain()}, {"tls": tls})


@pytest.fixture
def trust(folder):
    return ssl.create_default_context(cafile=str(folder / "localhost.pem"))


def test_it_says_that_it_is_https(secure):
    assert f"listening on https://127.0.0.1:{secure.port}" in secure.log


def test_the_programs_own_clients_believe_the_authorities_of_the_environment(secure, folder, monkeypatch):
    url = f"https://127.0.0.1:{secure.port}"
    status, _, err = run("status", url)
    assert status == 1 and "certificate" in err
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "localhost.pem"))
    assert run("status", url)[0] == 0
    status, out, err = run("inspect", f"{url}/mcp/plain", "tools")
    assert status == 0 and "echo" in out, err


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_client_of_the_sdk_calls_a_tool(secure, trust, mode):
    async with httpx2.AsyncClient(verify=trust, timeout=20.0) as http:
        url = f"https://127.0.0.1:{secure.port}/mcp/plain"
        async with Client(streamable_http_client(url, http_client=http), mode=mode, cache=None) as client:
            result = await client.call_tool("echo", {"text": "x" * 1_000_000})
            assert result.content[0].text.count("x") == 1_000_000


def test_a_browser_is_told_to_come_by_tls_only(secure, trust):
    reply = httpx2.get(f"https://localhost:{secure.port}/healthz", verify=trust)
    assert reply.status_code == 200
    assert reply.headers["strict-transport-security"] == "max-age=60"


def test_plain_http_is_told_what_is_wrong(secure):
    reply = httpx2.get(f"http://127.0.0.1:{secure.port}/healthz")
    assert reply.status_code == 400
    assert "https://" in reply.text
    assert "strict-transport-security" not in reply.headers


def handshake(port, context):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain_socket:
        with context.wrap_socket(plain_socket, server_hostname="localhost") as connection:
            return connection.version(), connection.getpeercert(binary_form=True)


def test_old_versions_are_refused(secure, trust):
    for version, expected in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        trust.maximum_version = version
        assert handshake(secure.port, trust)[0] == expected
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        handshake(secure.port, old)


def test_a_new_certificate_is_used_without_a_restart(make_gateway, folder):
    first, first_key = make_certificate(folder, "first")
    second, second_key = make_certificate(folder, "second")
    certificate, key = folder / "live.pem", folder / "live.key"
    shutil.copy(first, certificate)
    shutil.copy(first_key, key)
    gateway = make_gateway({"plain": plain()}, {"tls": {"certificate": str(certificate), "key": str(key)}})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    shown = [ssl.PEM_cert_to_DER_cert(file.read_text()) for file in (first, second)]
    assert handshake(gateway.port, context)[1] == shown[0]
    certificate.write_text("half a certificate")
    until(lambda: "TLS goes on with the certificate that it has" in gateway.log, "the error in the log")
    assert handshake(gateway.port, context)[1] == shown[0]
    shutil.copy(second_key, key)
    shutil.copy(second, certificate)
    until(lambda: handshake(gateway.port, context)[1] == shown[1], "the new certificate")


def test_a_certificate_that_cannot_be_used_is_one_line_and_status_2(folder, tmp_path):
    certificate, _ = make_certificate(folder, "one")
    _, key = make_certificate(folder, "another")
    document = {"gateway": {"tls": {"certificate": str(certificate), "key": str(key)}}}
    for command in ("check", "serve"):
        status, out, err = check(tmp_path, {"mcpServers": {"plain": plain()}, **document}, command=command)
        assert status == 2
        said = [line for line in (out + err).splitlines() if "gateway.tls" in line]
        assert len(said) == 1 and f"{key}: it is not that of the certificate" in said[0], json.dumps(said)
