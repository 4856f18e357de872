"""`gatehouse status`: what it prints of a running gateway, and how it ends."""

import json
import socket
import subprocess
import sys

from peers.gateway import BINARY, plain
from peers.gateway import SERVERS as SERVERS_FOLDER
from peers.raw import LegacySession, ModernClient
from peers.waiting import until

SERVERS = {"plain": plain(), "missing": {"command": "/nowhere/at/all"}}


def status(*arguments):
    return subprocess.run([str(BINARY), "status", *arguments], capture_output=True, text=True, timeout=30)


def url(gateway):
    return f"http://127.0.0.1:{gateway.port}"


def test_it_shows_servers_and_sessions_without_colours_where_no_terminal_is(gateway, ledger):
    LegacySession(gateway, ledger).open()
    run = status(url(gateway) + "/mcp/plain")
    assert run.returncode == 0, run.stderr
    assert "plain" in run.stdout and "1 session" in run.stdout
    assert "unusable" in run.stdout
    assert "\x1b" not in run.stdout


def test_json_is_what_the_gateway_says(gateway, ledger):
    ModernClient(gateway, ledger).call("echo", "x")
    run = status("--json", url(gateway))
    assert run.returncode == 0
    answer = json.loads(run.stdout)
    assert answer["total_processes"] >= 1
    states = {server["name"]: server["state"] for server in answer["servers"]}
    assert (states["plain"], states["missing"]) == ("up", "unusable")


def test_last_words_are_told_without_the_secrets_of_the_configuration(make_gateway, ledger):
    script = str(SERVERS_FOLDER / "prying.py")
    environment = {"TOKEN": "a-secret-of-the-configuration"}
    server = {"command": sys.executable, "args": ["-S", "-E", script], "era": "legacy", "env": environment}
    one = make_gateway({"prying": server})
    code = "import os, sys; print('it is', os.environ['TOKEN'], file=sys.stderr, flush=True); found = 1"
    session = LegacySession(one, ledger, "prying").open()
    assert session.request("tools/call", {"name": "run", "arguments": {"code": code}})["result"]

    def told():
        [found] = json.loads(status("--json", url(one)).stdout)["servers"]
        return found["children"][0]["stderr_tail"]

    until(lambda: "it is" in told(), "the last words")
    assert environment["TOKEN"] not in told()
    assert "said last: it is" in status(url(one)).stdout


def test_a_gateway_that_is_not_there_is_status_1():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        run = status(f"http://127.0.0.1:{held.getsockname()[1]}")
    assert run.returncode == 1
    assert run.stdout == ""
    assert "no gateway answers" in run.stderr


def test_a_gateway_that_does_not_say_is_status_1(make_gateway):
    run = status(url(make_gateway({"plain": plain()}, {"metrics": False})))
    assert run.returncode == 1
    assert "turned off" in run.stderr


def test_mistakes_are_status_2():
    for arguments in (("--nonsense",), ("ftp://x",), ("http://a", "http://b")):
        assert status(*arguments).returncode == 2
