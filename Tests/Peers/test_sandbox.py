"""What a confined server cannot see and do (docs/sandbox.md), tried from inside one.

Where bubblewrap or user namespaces are missing, all of this fails: the gateway does not start, and says why.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from peers.gateway import BINARY, SERVERS, Gateway, check
from peers.processes import is_alive
from peers.raw import LegacySession
from peers.waiting import until

LEVELS = ["private", "strict"]
SCRIPT = ["-S", "-E", str(SERVERS / "prying.py")]


def prying(*arguments, cwd=None, **sandbox):
    """The server that runs Python, confined."""
    server = {"command": sys.executable, "args": [*SCRIPT, *arguments], "era": "legacy", "framing": "newline"}
    if cwd is not None:
        server["cwd"] = str(cwd)
    if sandbox:
        server["sandbox"] = {"readable": [str(SERVERS)], **sandbox}
    return server


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the servers work, with the gateway's own files among theirs."""
    place = tmp_path_factory.mktemp("place")
    for name in ("private", "strict", "other", "state", "more"):
        (place / name).mkdir()
    (place / "other/secret").write_text("another server's")
    (place / "state/secret").write_text("the gateway's")
    (place / "more/note").write_text("shown")
    return place


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The directory of the gateway's user."""
    home = tmp_path_factory.mktemp("home")
    for name in (".ssh", ".cache/uv", ".local/bin"):
        (home / name).mkdir(parents=True)
    (home / ".ssh/id").write_text("the user's key")
    (home / ".cache/uv/wheel").write_text("fetched")
    (home / ".local/bin/tool").write_text("a tool")
    return home


@pytest.fixture(scope="module")
def gateway(place, home):
    more = {"readable": [str(SERVERS), str(place / "more")]}
    servers = {
        "private": prying(cwd=place / "private", level="private", **more),
        "strict": prying(cwd=place / "strict", level="strict", **more),
        "other": prying(cwd=place / "other"),
        # Everything of the gateway lies in what these two may see.
        "private-around": prying(cwd=place, level="private"),
        "strict-around": prying(cwd=place, level="strict"),
        "networked": prying(level="strict", network=True),
        "bounded": prying(level="strict", memory=64 << 20, processes=20),
        "lost": {"command": str(home / "program"), "sandbox": {"level": "private"}, "era": "legacy"},
        "hopeless": prying(level="private", readable=[str(SERVERS), str(place / "nothing")]),
    }
    program = home / "program"
    program.write_text(f"#!{place}/elsewhere/interpreter\n")
    program.chmod(0o755)
    gateway = Gateway(place, servers, {"state": str(place / "state")}, {"HOME": str(home)})
    gateway.start()
    yield gateway
    assert gateway.terminate() == 0
    assert groups_of(gateway) == []


@pytest.fixture(params=LEVELS)
def level(request):
    return request.param


@pytest.fixture
def inside(gateway, ledger):
    """Runs Python in a server: `inside(server)` opens a session, which is called with code."""
    opened = []

    def open_session(server):
        session = LegacySession(gateway, ledger, server).open(timeout=20)
        opened.append(session)

        def run(code, timeout=30.0):
            answer = session.request("tools/call", {"name": "run", "arguments": {"code": code}}, timeout)
            if "error" in answer:
                raise RuntimeError(json.dumps(answer["error"]))
            text = answer["result"]["content"][0]["text"]
            if answer["result"].get("isError"):
                raise RuntimeError(text)
            return json.loads(text)

        run.session = session
        return run

    yield open_session
    for session in opened:
        session.delete()


def refused(run, code, *words):
    """The code fails with one of these words."""
    with pytest.raises(RuntimeError) as caught:
        run(code)
    assert any(word in str(caught.value) for word in words), caught.value


def groups_of(gateway):
    """The control groups that a gateway has made."""
    return [str(path) for path in Path("/sys/fs/cgroup").rglob(f"gatehouse-{gateway.pid}-*") if path.is_dir()]


NOT_THERE = ("No such file", "Permission denied")
READ_ONLY = ("Read-only file system", "Permission denied")


# Processes


def test_it_sees_no_process_but_its_own(inside, level, gateway):
    own = inside(level)("import os; found = [int(name) for name in os.listdir('/proc') if name.isdigit()]")
    assert len(own) <= 3 and gateway.pid not in own
    seen = inside("other")("import os; found = [int(name) for name in os.listdir('/proc') if name.isdigit()]")
    assert gateway.pid in seen, "without a sandbox it would have"


def test_it_can_signal_neither_the_gateway_nor_another_server(inside, level, gateway):
    run = inside(level)
    inside("other")
    for pid in [gateway.pid, *gateway.children("other")]:
        refused(run, f"import os; os.kill({pid}, 0)", "No such process")
        refused(run, f"open('/proc/{pid}/environ')", "No such file")


def test_everything_that_can_be_apart_is(inside, level):
    kinds = ["pid", "ipc", "uts", "user", "mnt"] + (["net"] if level == "strict" else [])
    found = inside(level)(f"import os; found = [os.readlink('/proc/self/ns/' + kind) for kind in {kinds}]")
    assert not set(found) & {os.readlink(f"/proc/self/ns/{kind}") for kind in kinds}
    assert inside(level)("import socket; found = socket.gethostname()") == "sandbox"


def test_it_has_no_privileges_and_cannot_gain_any(inside, level):
    status = inside(level)("found = open('/proc/self/status').read()")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[field], 16) == 0, field
    assert fields["NoNewPrivs"] == "1"


def test_it_gets_its_three_descriptors_and_no_more(inside, level):
    assert inside(level)("import os; found = sorted(map(int, os.listdir('/proc/self/fd')))")[:3] == [0, 1, 2]
    assert len(inside(level)("import os; found = os.listdir('/proc/self/fd')")) == 4, "one more reads the directory"


def test_what_watches_over_it_is_out_of_its_reach(inside, level):
    run = inside(level)
    for name in ("mem", "environ"):
        refused(run, f"open('/proc/1/{name}', 'rb').read(1)", "Permission denied")
    refused(run, "open('/proc/1/fd/3', 'wb')", "Permission denied")


def test_the_devices_are_those_that_every_program_expects(inside, level):
    found = set(inside(level)("import os; found = os.listdir('/dev')"))
    usual = {"null", "zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr", "fd", "core"}
    assert {"null", "urandom"} <= found <= usual | {"shm", "pts", "ptmx", "console"}


def test_under_strict_it_makes_no_further_namespaces(inside):
    code = "import ctypes, os; found = ctypes.CDLL(None, use_errno=True).unshare(0x10000000)"
    assert inside("strict")(code) == -1


# Files


@pytest.mark.parametrize("folder", ["/tmp", "/var/tmp", "/dev/shm"])
def test_its_temporary_files_are_its_own(inside, level, folder):
    one, two = inside(level), inside(level)
    note = f"{folder}/gatehouse-note-of-{level}"
    one(f"open({note!r}, 'w').write('mine')")
    assert one(f"found = open({note!r}).read()") == "mine"
    refused(two, f"open({note!r})", "No such file")
    assert not Path(note).exists()


def test_what_this_machine_has_in_tmp_is_not_seen(inside, level, tmp_path):
    (tmp_path / "note").write_text("the machine's")
    refused(inside(level), f"open({str(tmp_path / 'note')!r})", "No such file")
    assert inside("other")(f"found = open({str(tmp_path / 'note')!r}).read()") == "the machine's"


def test_the_users_directory_is_empty_but_for_tools_and_caches(inside, level, home):
    run = inside(level)
    assert set(run("import os; found = os.listdir(os.environ['HOME'])")) == {".cache", ".local"}
    refused(run, f"open({str(home / '.ssh/id')!r})", "No such file")
    assert run(f"found = open({str(home / '.local/bin/tool')!r}).read()") == "a tool"
    refused(run, f"open({str(home / '.local/bin/tool')!r}, 'w')", *READ_ONLY)
    assert run(f"found = open({str(home / '.cache/uv/wheel')!r}).read()") == "fetched"
    writing = f"open({str(home / '.cache/uv')!r} + '/new', 'w').write('x'); found = 'written'"
    if level == "private":
        assert run(writing) == "written"
    else:
        refused(run, writing, *READ_ONLY)


def test_it_reads_and_writes_where_it_works(inside, level, place):
    run = inside(level)
    assert run("import os; found = os.getcwd()") == str(place / level)
    run("open('note', 'w').write('kept')")
    assert (place / level / "note").read_text() == "kept"


def test_more_that_may_be_read_is_not_to_be_written(inside, level, place):
    run = inside(level)
    assert run(f"found = open({str(place / 'more/note')!r}).read()") == "shown"
    refused(run, f"open({str(place / 'more/note')!r}, 'w')", *READ_ONLY)


@pytest.mark.parametrize("name", ["other/secret", "state/secret", "gatehouse.json"])
def test_the_files_of_the_gateway_and_of_other_servers_are_hidden(inside, level, place, name):
    assert (place / name).exists()
    for server in (level, f"{level}-around"):
        refused(inside(server), f"open({str(place / name)!r})", *NOT_THERE)


def test_what_hides_the_configuration_outlasts_its_replacement(inside, level, place):
    run = inside(f"{level}-around")
    copy = place / "gatehouse.json.new"
    copy.write_text((place / "gatehouse.json").read_text())
    copy.rename(place / "gatehouse.json")
    refused(run, f"open({str(place / 'gatehouse.json')!r})", "No such file")
    assert run(f"found = open({str(place / 'more/note')!r}).read()") == "shown", "what lies beside it is seen"


def test_where_a_server_works_that_came_later_is_hidden_too(make_gateway, ledger, level, tmp_path):
    (tmp_path / "later").mkdir()
    (tmp_path / "later/secret").write_text("the new server's")
    gateway = make_gateway({"kept": prying(level=level, readable=[str(SERVERS), str(tmp_path)])})

    def read():
        session = LegacySession(gateway, ledger, "kept").open(timeout=20)
        code = f"found = open({str(tmp_path / 'later/secret')!r}).read()"
        return session.request("tools/call", {"name": "run", "arguments": {"code": code}})["result"]["content"][0]["text"]

    assert json.loads(read()) == "the new server's"
    document = json.loads(gateway.config.read_text())
    document["mcpServers"]["later"] = gateway._marked("later", prying(cwd=tmp_path / "later"))
    gateway.config.write_text(json.dumps(document))
    until(lambda: "the configuration is used" in gateway.log, "the new configuration")
    assert "No such file" in read()


def test_without_a_directory_of_its_own_it_may_read_the_gateways(make_gateway, ledger, level):
    gateway = make_gateway({"nowhere": prying(level=level)})
    (gateway.folder / "note").write_text("shown")
    session = LegacySession(gateway, ledger, "nowhere").open()

    def said(code):
        answer = session.request("tools/call", {"name": "run", "arguments": {"code": code}})
        return answer["result"]["content"][0]["text"]

    assert json.loads(said("import os; found = os.getcwd()")) == str(gateway.folder)
    assert json.loads(said("found = open('note').read()")) == "shown"
    assert "Read-only" in said("open('note', 'w')") and "Read-only" in said("open('new', 'w')")
    assert "No such file" in said("open('gatehouse.json')")


def test_the_kernels_settings_cannot_be_changed(inside, level):
    for name in ("kernel/core_pattern", "kernel/hostname", "vm/swappiness"):
        refused(inside(level), f"open('/proc/sys/{name}', 'r+')", *READ_ONLY)
    code = """
import os
found = []
for folder, _, names in os.walk('/proc'):
    if folder.split('/')[2:3] and folder.split('/')[2].isdigit() or folder.startswith(('/proc/self', '/proc/thread')):
        continue
    for name in names:
        try:
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
            found.append(os.path.join(folder, name))
        except OSError:
            pass
"""
    # To write to the first asks to be told of something; the other asks for a capability then.
    harmless = ("/proc/pressure/", "/proc/mtrr")
    assert [name for name in inside(level)(code) if not name.startswith(harmless)] == []


def test_under_strict_nothing_of_the_system_can_be_written(inside):
    run = inside("strict")
    for path in ("/usr/gatehouse-note", "/etc/gatehouse-note", "/gatehouse-note", "/dev/gatehouse-note"):
        refused(run, f"open({path!r}, 'w')", *READ_ONLY)


# The network


def test_under_strict_there_is_no_network_unless_it_is_allowed(inside):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5).close(); found = 'reached'"
        refused(inside("strict"), code, "refused", "unreachable")
        for server in ("private", "networked"):
            assert inside(server)(code) == "reached"


# Bounds


def test_who_uses_too_much_memory_ends_alone_and_it_is_said(inside, gateway):
    sound, run = inside("bounded"), inside("bounded")
    with pytest.raises(RuntimeError) as caught:
        run("block = bytearray(200 << 20)")
    words = str(caught.value)
    assert "more memory than its sandbox allows" in words or "MemoryError" in words, words
    assert sound("found = 'sound'") == "sound"
    assert inside("other")("found = 'sound'") == "sound"


FORKS = """
import os, time
made = 0
try:
    while made < 100:
        if os.fork() == 0:
            time.sleep(600)
        made += 1
except OSError:
    pass
"""


def test_who_forks_without_end_comes_to_one(inside):
    sound, run = inside("bounded"), inside("bounded")
    assert 10 <= run(FORKS + "found = made") <= 20
    with pytest.raises(RuntimeError) as caught:
        run("import os; os._exit(3)")
    assert "exit status 3" in str(caught.value)
    if Path("/sys/fs/cgroup").exists() and os.access("/sys/fs/cgroup/pids/cgroup.procs", os.W_OK):
        assert "more processes than its sandbox allows" in str(caught.value)
    assert sound("found = 'sound'") == "sound"


def test_control_groups_go_with_their_server(inside, gateway):
    run = inside("bounded")
    run("found = 1")
    run.session.delete()
    until(lambda: len(groups_of(gateway)) <= 2 * len(gateway.children("bounded")), "the end of its groups")


# Beginning and end


def test_how_it_ended_and_its_last_words_are_told(inside, level):
    with pytest.raises(RuntimeError) as caught:
        inside(level)("import os, sys; print('the widget is broken', file=sys.stderr, flush=True); os._exit(7)")
    assert "exit status 7" in str(caught.value) and "the widget is broken" in str(caught.value)
    with pytest.raises(RuntimeError) as caught:
        inside(level)("import os; os.kill(os.getpid(), 9)")
    assert "SIGKILL" in str(caught.value)


@pytest.fixture
def stubborn(make_gateway, level, tmp_path):
    """A gateway whose only server ends for nothing but a kill."""
    return make_gateway({"stubborn": prying("--forever", level=level, cwd=tmp_path)})


def test_nothing_is_left_when_the_gateway_is_killed(stubborn, ledger):
    LegacySession(stubborn, ledger, "stubborn").open()
    until(lambda: len(stubborn.children("stubborn")) >= 5, "launchers, bubblewrap, the server and what it started")
    stubborn.kill()
    stubborn.leaves_nothing(5.0)
    until(lambda: groups_of(stubborn) == [], "the end of its control groups")


def test_nothing_is_left_when_the_launcher_is_killed(stubborn, ledger):
    LegacySession(stubborn, ledger, "stubborn").open()
    until(lambda: len(stubborn.children("stubborn")) >= 5, "launchers, bubblewrap, the server and what it started")
    launcher = min(stubborn.children("stubborn"), key=lambda pid: pid if parent_of(pid) == stubborn.pid else 1 << 40)
    os.kill(launcher, 9)
    until(lambda: not [pid for pid in stubborn.children("stubborn") if is_alive(pid)], "the end of all")


def parent_of(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def test_sigterm_reaches_the_server(make_gateway, ledger, level, tmp_path):
    gateway = make_gateway({"waiting": prying("--forever", level=level, cwd=tmp_path)})
    session = LegacySession(gateway, ledger, "waiting").open()
    code = """
import os, signal
def end(*_):
    open('terminated', 'w').close()
    os._exit(0)
signal.signal(signal.SIGTERM, end)
"""
    assert "result" in session.request("tools/call", {"name": "run", "arguments": {"code": code}})
    session.delete()
    until(lambda: (tmp_path / "terminated").exists(), "the server's note")
    until(lambda: not gateway.children("waiting"), "its end")


def test_a_path_that_is_not_there_is_told(gateway, ledger, place):
    session = LegacySession(gateway, ledger, "hopeless")
    reply = session.post(session.offer())
    assert f"cannot show {place / 'nothing'}" in reply.json()["error"]["message"]


def test_check_names_what_an_argument_says_and_the_sandbox_does_not_show(tmp_path, level):
    away, shown = tmp_path / "away", tmp_path / "shown"
    away.mkdir(), shown.mkdir()
    server = {"command": "/bin/cat", "args": [str(away), str(shown), "/usr", "/no/such/file", "relative"]}
    server["sandbox"] = {"level": level, "readable": [str(shown)]}
    (tmp_path / "work").mkdir()
    server["cwd"] = str(tmp_path / "work")
    status, out, _ = check(tmp_path, {"mcpServers": {"some": server}})
    assert status == 0
    hints = [line for line in out.splitlines() if "sandbox" in line]
    assert len(hints) == 1 and f"does not show {away};" in hints[0]


def test_a_program_that_cannot_run_in_there_is_told(gateway, ledger):
    session = LegacySession(gateway, ledger, "lost")
    words = session.post(session.offer()).json()["error"]["message"]
    assert "the interpreter that it names" in words, words


def _program(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("command", ["check", "serve"])
@pytest.mark.parametrize("what", ["no bubblewrap", "no namespaces"])
def test_where_servers_cannot_be_confined_nothing_starts(tmp_path, level, command, what):
    programs = tmp_path / "bin"
    programs.mkdir()
    _program(programs, "true", "exit 0")
    if what == "no namespaces":
        _program(programs, "bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    config = tmp_path / "gatehouse.json"
    config.write_text(json.dumps({"mcpServers": {"confined": prying(level=level), "free": prying()}}))
    arguments = [str(BINARY), command, "--config", str(config)] + (["--port", "0"] if command == "serve" else [])
    environment = {"PATH": str(programs), "HOME": str(tmp_path)}
    done = subprocess.run(arguments, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    said = done.stdout if command == "check" else done.stderr
    errors = [line for line in said.splitlines() if "sandbox" in line]
    assert len(errors) == 1 and "asked for by confined" in errors[0], done.stdout + done.stderr
    assert ("bubblewrap is missing" in errors[0]) == (what == "no bubblewrap")
    assert ("No permissions to create new namespace" in errors[0]) == (what == "no namespaces")
    assert "listening" not in done.stderr


@pytest.mark.wide
@pytest.mark.timeout(180)
@pytest.mark.skipif(shutil.which("uvx") is None, reason="needs uvx (https://docs.astral.sh/uv)")
def test_uvx_works_in_a_private_sandbox(make_gateway, ledger):
    server = {"command": "uvx", "args": ["mcp-server-time"], "sandbox": "private", "era": "legacy", "framing": "newline"}
    gateway = make_gateway({"time": {**server, "timeout_seconds": 120}})
    session = LegacySession(gateway, ledger, "time").open(timeout=150)
    assert session.request("tools/list")["result"]["tools"]


def test_calls_take_no_longer(inside, level):
    """Nothing stands between the pipes: the fastest of many calls is as fast as without."""

    def fastest(run):
        times = []
        for _ in range(200):
            began = time.perf_counter()
            run("found = 1")
            times.append(time.perf_counter() - began)
        return min(times)

    assert fastest(inside(level)) < 3 * fastest(inside("other")) + 0.002
