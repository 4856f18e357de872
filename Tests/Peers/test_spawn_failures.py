"""A process that cannot be started is an error of the session that wanted it, in clear words, and of nobody else."""

import json
import os
import resource
import subprocess
import sys
from types import SimpleNamespace

import pytest

from peers.gateway import BINARY, LISTENING, SERVERS, plain
from peers.raw import LegacySession, ModernClient, text_of
from peers.waiting import until

LEVELS = ["none", "private"]
HUGE = "x" * 200_000


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Programs of our own, so that they can be spoiled."""
    folder = tmp_path_factory.mktemp("programs")
    for name in ("vanishes", "locked", "script", "worded"):
        write(folder / name)
    return folder


def write(path, interpreter="/bin/sh"):
    path.write_text(f"#!{interpreter}\nexec {sys.executable} -S -E {SERVERS / 'plain.py'}\n")
    path.chmod(0o755)


def stated(command, *arguments, **more):
    """What the server speaks is stated, so that nothing is started before somebody asks."""
    return {"command": str(command), "args": [*arguments], "era": "legacy", "framing": "newline", **more}


@pytest.fixture(scope="module")
def gateway(programs, make_gateway):
    servers = {"plain": plain()}
    for level in LEVELS:
        shown = [str(SERVERS), sys.prefix, sys.base_prefix]
        confined = {} if level == "none" else {"sandbox": {"level": level, "readable": shown}}
        for name in ("vanishes", "locked", "script", "worded"):
            servers[f"{name}-{level}"] = stated(programs / name, env={"PEER_JOURNAL": "/dev/null"}, **confined)
        huge = plain(env={"HUGE": HUGE})
        servers[f"huge-{level}"] = stated(huge["command"], *huge["args"], env=huge["env"], **confined)
    return make_gateway(servers)


@pytest.fixture(params=LEVELS)
def level(request):
    return request.param


def opened(gateway, ledger, server):
    """The answer to the beginning of a session, and the session if there is one."""
    session = LegacySession(gateway, ledger, server)
    reply = session.post(session.offer(), timeout=20)
    session.id = reply.header("mcp-session-id")
    return reply, session


def refusal(gateway, ledger, server):
    reply, session = opened(gateway, ledger, server)
    assert session.id is None
    return reply.json()["error"]["message"]


def works(gateway, ledger, server="plain"):
    assert text_of(ModernClient(gateway, ledger, server).call("echo", "sound")) == "sound"


@pytest.fixture
def bystander(gateway, ledger):
    """A session that was there before, and goes on."""
    session = LegacySession(gateway, ledger, "plain").open()
    yield session
    assert text_of(session.call("echo", "still here")) == "still here"
    session.delete()


def test_a_program_that_has_gone(gateway, ledger, bystander, programs, level):
    path = programs / "vanishes"
    path.unlink(missing_ok=True)
    words = refusal(gateway, ledger, f"vanishes-{level}")
    assert "vanishes" in words and "is not a file that can be executed" in words
    write(path)
    reply, session = opened(gateway, ledger, f"vanishes-{level}")
    assert "result" in reply.json(), f"it is back: {reply.json()}"
    session.delete()


def test_a_program_that_must_not_be_executed(gateway, ledger, bystander, programs, level):
    (programs / "locked").chmod(0o644)
    words = refusal(gateway, ledger, f"locked-{level}")
    assert "locked" in words and "is not a file that can be executed" in words


def test_a_script_whose_interpreter_has_gone(gateway, ledger, bystander, programs, level):
    write(programs / "script", "/nonexistent/interpreter")
    assert "the interpreter that it names: no such file" in refusal(gateway, ledger, f"script-{level}")


def test_a_file_that_is_no_program(gateway, ledger, bystander, programs, level):
    (programs / "worded").write_bytes(b"\x00\x01\x02 just words")
    assert "exec format error" in refusal(gateway, ledger, f"worded-{level}")


def test_variables_that_are_too_long(gateway, ledger, bystander, level):
    words = refusal(gateway, ledger, f"huge-{level}")
    assert "argument list too long" in words and HUGE not in words


def descriptors(gateway):
    return [int(name) for name in os.listdir(f"/proc/{gateway.pid}/fd")]


def test_no_descriptors(make_gateway, ledger):
    gateway = make_gateway({"plain": plain()})
    session = LegacySession(gateway, ledger, "plain").open()
    works(gateway, ledger)
    before = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
    used = descriptors(gateway)
    # Enough for a connection, and not for the pipes of a process.
    limit = next(n for n in range(1 << 16) if n - len([d for d in used if d < n]) == 5)
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    words = refusal(gateway, ledger, "plain")
    assert "too many open files" in words
    assert text_of(session.call("echo", "sound")) == "sound", "who has a process goes on"
    until(lambda: len(descriptors(gateway)) <= len(used) + 1, "what was opened for it to be closed")
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, before)
    reply, other = opened(gateway, ledger, "plain")
    assert "result" in reply.json()
    for each in (session, other):
        each.delete()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be another user whose processes can be counted")
def test_no_further_process(tmp_path, ledger):
    """As a user of its own, since the kernel does not count those of root."""
    user = 61_234
    try:
        probe = subprocess.run([str(BINARY), "version"], user=user, group=user, capture_output=True, cwd="/")
        is_reachable = probe.returncode == 0
    except PermissionError:
        is_reachable = False
    if not is_reachable:
        pytest.skip(f"{BINARY} lies in a directory that another user cannot enter")
    config = tmp_path / "gatehouse.json"
    config.write_text(json.dumps({"mcpServers": {"cat": stated("/bin/cat"), "other": stated("/bin/cat")}}))
    with config.open() as document:
        gateway = subprocess.Popen(
            [str(BINARY), "serve", "--config", "/dev/stdin", "--port", "0"],
            stdin=document,
            stderr=subprocess.PIPE,
            text=True,
            user=user,
            group=user,
            cwd="/",
        )
    try:
        port = next(int(found.group(1)) for line in gateway.stderr if (found := LISTENING.search(line)))
        # By that user: not even root may everywhere.
        subprocess.run(["prlimit", f"--pid={gateway.pid}", "--nproc=1:1"], user=user, group=user, check=True, cwd="/")
        for server in ("cat", "other"):
            words = refusal(SimpleNamespace(port=port), ledger, server)
            assert "resource temporarily unavailable" in words
        assert gateway.poll() is None
    finally:
        gateway.terminate()
        assert gateway.wait(15) == 0
