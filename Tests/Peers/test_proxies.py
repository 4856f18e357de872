"""Who is believed what a proxy says: `gateway.trustedProxies`."""

import httpx2
import pytest

from peers.gateway import plain

SERVERS = {"plain": plain()}


@pytest.fixture(scope="module")
def trusting(make_gateway):
    return make_gateway(SERVERS, {"trustedProxies": ["127.0.0.1", "10.0.0.0/8"], "hosts": ["gate.example"]})


@pytest.fixture(scope="module")
def doubting(make_gateway):
    return make_gateway(SERVERS, {"trustedProxies": ["192.0.2.0/24"]})


def ask(gateway, **fields):
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return httpx2.get(f"http://127.0.0.1:{gateway.port}/api/session_metrics", headers=headers)


def is_told_everything(reply):
    assert reply.status_code == 200, reply.text
    return "servers" in reply.json()


def test_the_client_is_the_last_that_is_no_trusted_proxy(trusting):
    assert is_told_everything(ask(trusting))
    assert is_told_everything(ask(trusting, x_forwarded_for="127.0.0.1, 10.1.1.1"))
    for chain in ("192.0.2.1", "127.0.0.1, 192.0.2.1", "127.0.0.1, 192.0.2.1, 10.1.1.1", "unknown", "127.0.0.1, _x"):
        assert not is_told_everything(ask(trusting, x_forwarded_for=chain)), chain
    assert not is_told_everything(ask(trusting, forwarded='for=127.0.0.1, for="[2001:db8::1]:99";proto=https'))


def test_the_host_that_is_told_must_be_served(trusting):
    assert ask(trusting, x_forwarded_for="192.0.2.1", x_forwarded_host="gate.example").status_code == 200
    assert ask(trusting, x_forwarded_for="192.0.2.1", x_forwarded_host="evil.test").status_code == 403
    assert ask(trusting, forwarded="for=192.0.2.1;host=evil.test").status_code == 403


def test_two_words_about_one_client_must_agree(trusting):
    assert ask(trusting, forwarded="for=127.0.0.1", x_forwarded_for="192.0.2.1").status_code == 400
    assert ask(trusting, forwarded="for=192.0.2.1", x_forwarded_for="192.0.2.1").status_code == 200


def test_nobody_else_is_believed(doubting):
    assert is_told_everything(ask(doubting))
    for fields in ({"x_forwarded_for": "127.0.0.1"}, {"forwarded": "for=127.0.0.1"}):
        assert not is_told_everything(ask(doubting, **fields)), "it may come through a proxy that nobody named"
    assert ask(doubting, x_forwarded_host="evil.test").status_code == 200
