"""Bad behaviour of a whole process, chosen with --bad."""

import os
import signal
import subprocess
import sys
import time

from every_field import rich
from journal import note


def exits(server):
    """Ends at once, with a reason on stderr."""
    sys.stderr.write("cannot open the database: no such file\nplease run the setup first\n")
    sys.stderr.flush()
    os._exit(3)


def exits_after_start(server):
    """Reads the first message, then ends without an answer."""
    note("start")
    for message in server.wire.messages():
        note("read", message=message)
        sys.stderr.write("the licence has expired\n")
        sys.stderr.flush()
        os._exit(4)


def silent(server):
    """Runs, reads, never says a word."""
    note("start")
    for message in server.wire.messages():
        note("read", message=message)


def slow(server):
    """Takes two seconds before it reads."""
    time.sleep(2)
    server.run()


def talks_first(server):
    """Prints a banner on stdout and stderr before the protocol begins."""
    server.wire.raw(b"Plain server 1.0\nListening on stdio\n")
    sys.stderr.write("starting up\n")
    sys.stderr.flush()
    server.run()


def content_length(server):
    """Speaks with Content-Length headers, as old servers do."""
    server.wire.framing = "content-length"
    server.run()


def strict(server):
    """Ends when the first message is not `initialize`, as some servers do."""
    original = server.request

    def request(message):
        if server.revision is None and message["method"] != "initialize":
            sys.stderr.write("expected initialize\n")
            sys.stderr.flush()
            os._exit(1)
        original(message)

    server.request = request
    server.run()


def stubborn(server):
    """Ignores SIGTERM and the end of stdin, and has a grandchild in a session of its own that does too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = "import signal,time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(3600)"
    grandchild = subprocess.Popen([sys.executable, "-I", "-S", "-c", code], start_new_session=True)
    note("grandchild", child=os.getpid(), grandchild=grandchild.pid)
    server.run()
    while True:
        time.sleep(3600)


def forks(server):
    """Runs as a shell wrapper does: the server is a child, and a helper runs beside it."""
    helper = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time\nwhile True: time.sleep(3600)"])
    note("helper", helper=helper.pid)
    server.run()


def asks_in_list(server):
    """Asks for the client's roots before it lists its tools."""
    original = server.on_tools_list

    def list_tools(message, params):
        def take(answer):
            note("answer in list", answer=answer)
            original(message, params)

        server.ask("roots/list", {}, take)

    server.on_tools_list = list_tools
    server.run()


def needs_input_in_list(server):
    """Answers a list with `input_required`, which only three methods may."""
    server.on_tools_list = lambda message, params: server.answer(
        message, {"resultType": "input_required", "requestState": "x"}
    )
    server.run()


def crashes_twice(server):
    """Ends in the handshake as long as a file counts less than two starts."""
    path = os.environ["PEER_JOURNAL"] + ".starts"
    with open(path, "a") as file:
        file.write("x")
    if os.path.getsize(path) <= 2:
        sys.stderr.write("not yet\n")
        sys.stderr.flush()
        os._exit(5)
    server.run()


def held(server):
    """Answers `initialize` when the file exists that PEER_GATE names."""
    original = server.on_initialize

    def initialize(message, params):
        while not os.path.exists(os.environ["PEER_GATE"]):
            time.sleep(0.01)
        original(message, params)

    server.on_initialize = initialize
    server.run()


def governed(server):
    """Does at `initialize` what the file says that PEER_GATE names: dies, waits while it says "hold", or answers."""
    original = server.on_initialize

    def mode():
        with open(os.environ["PEER_GATE"]) as file:
            return file.read()

    def initialize(message, params):
        while mode() == "hold":
            time.sleep(0.01)
        if mode() == "die":
            sys.stderr.write("the database is closed\n")
            sys.stderr.flush()
            os._exit(4)
        original(message, params)

    server.on_initialize = initialize
    server.run()


BEHAVIOURS = {
    function.__name__: function
    for function in (
        exits,
        exits_after_start,
        silent,
        slow,
        talks_first,
        content_length,
        strict,
        stubborn,
        forks,
        asks_in_list,
        needs_input_in_list,
        crashes_twice,
        held,
        governed,
        rich,
    )
}
