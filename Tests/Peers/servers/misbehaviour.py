"""Bad behaviour within one call, each a tool of the plain server."""

import os
import sys
import threading
import time

from journal import note


def crash(server, message, arguments):
    """Dies with a status and last words, in the middle of a call."""
    sys.stderr.write("about to fall over\nfatal: the widget is broken\n")
    sys.stderr.flush()
    os._exit(7)


def killed(server, message, arguments):
    """Dies by a signal."""
    os.kill(os.getpid(), 9)


def chatter(server, message, arguments):
    """Writes a mebibyte to stderr before the answer."""
    line = b"E" * 1023 + b"\n"
    for _ in range(1024):
        os.write(2, line)
    server.say(message, "chatted")


def noise(server, message, arguments):
    """Prints what is no message on stdout, around the answer."""
    server.wire.raw(b"Loading model...\n\n  \nDone, 100%.\n")
    server.say(message, "after noise")
    server.wire.raw(b"(this is not JSON)\n")


def spaced(server, message, arguments):
    """Answers with white space and a carriage return around the message."""
    server.wire.raw(b'  { "jsonrpc" : "2.0" , "id" : ' + json_of(message["id"]) + b' , "result" : ')
    modern = b'"resultType":"complete",' if server.is_modern(message) else b""
    server.wire.raw(b"{" + modern + b'"content" : [ { "type" : "text", "text" : "spaced" } ] } }  \r\n')


def long_line(server, message, arguments):
    """Prints a line that never ends, as far as anyone lets it."""
    piece = b'{"jsonrpc":"2.0","id":1,"result":"' + b"x" * 65536
    for _ in range(4096):
        server.wire.raw(piece)
        piece = b"x" * 65536


def torn(server, message, arguments):
    """Sends the answer byte by byte, across character boundaries."""
    modern = '"resultType":"complete",' if server.is_modern(message) else ""
    body = '{"jsonrpc":"2.0","id":%s,"result":{%s"content":[{"type":"text","text":"käse ✓ 🧀"}]}}\n'
    for byte in (body % (json_of(message["id"]).decode(), modern)).encode():
        server.wire.raw(bytes([byte]))


def stray(server, message, arguments):
    """Answers ids that were never asked, tells of tokens never given, and answers twice."""
    for number in (0, 99999, "nobody", -1):
        server.wire.send({"jsonrpc": "2.0", "id": number, "result": {"content": [], "resultType": "complete"}})
    server.wire.send({"jsonrpc": "2.0", "id": 424242, "error": {"code": -1, "message": "stray"}})
    for token in ("nobody", 424242):
        server.notify("notifications/progress", {"progressToken": token, "progress": 50})
    server.say(message, "the right answer")
    server.say(message, "a second answer")


def steal(server, message, arguments):
    """Answers another call's request before that is done, from within this one: with ids near its own."""
    own = message["id"]
    if isinstance(own, int):
        for number in range(own + 1, own + 20):
            server.wire.send({"jsonrpc": "2.0", "id": number, "result": {"content": [], "resultType": "complete"}})
    server.say(message, "tried")


def late(server, message, arguments):
    """Answers after its time, when the call was cancelled or a few seconds have gone."""

    def later():
        end = time.monotonic() + 10
        server.waiting[message["id"]] = message
        while message["id"] in server.waiting and time.monotonic() < end:
            time.sleep(0.02)
        server.say(message, "too late")

    threading.Thread(target=later, daemon=True).start()


def ticks(server, message, arguments):
    """Makes progress every tenth of a second until a file exists or the call is cancelled, then answers."""
    token = server.token(message)
    server.waiting[message["id"]] = message

    def later():
        step = 0
        while message["id"] in server.waiting and not os.path.exists(arguments["text"]):
            step += 1
            note("tick", step=step)
            if token is not None:
                server.notify("notifications/progress", {"progressToken": token, "progress": step})
            time.sleep(0.1)
        if server.waiting.pop(message["id"], None):
            server.say(message, "done")

    threading.Thread(target=later, daemon=True).start()


def deaf(server, message, arguments):
    """Stops reading stdin, and answers nothing more."""
    while True:
        time.sleep(3600)


def no_params(server, message, arguments):
    """Answers with something that is no JSON-RPC answer at all."""
    server.wire.send({"id": message["id"], "surprise": True})
    server.wire.send([1, 2, 3])
    server.wire.raw(b'{"jsonrpc":"2.0","id":1,"id":2,"result":{}}\n')
    server.wire.raw(b'{"jsonrpc": "2.0", "method": "notif\n')
    server.say(message, "still here")


def grow(server, message, arguments):
    """Answers with a text of a size."""
    server.say(message, "y" * int(arguments.get("text", "0")))


def undeclared(server, message, arguments):
    """Asks for what the client did not declare."""
    params = {"messages": [{"role": "user", "content": {"type": "text", "text": "?"}}], "maxTokens": 1}
    server.ask(
        "sampling/createMessage",
        params,
        lambda answer: server.say(message, "refused", _meta={"test/answer": answer}),
    )


def unprompted(server, message, arguments):
    """Asks the client something after the call is over, once or as often as it is told."""
    server.say(message, "and now a question")
    for _ in range(int(arguments.get("text", "1"))):
        server.ask("roots/list", {}, lambda answer: None)


def gossip(server, message, arguments):
    """Tells news after the call is over, once or as often as it is told."""
    server.say(message, "that is all")
    for _ in range(int(arguments.get("text", "1"))):
        server.wire.send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})


def pings(server, message, arguments):
    """Pings the client within a call."""
    server.ask("ping", {}, lambda answer: server.say(message, "pong", _meta={"test/answer": answer}))


def flood(server, message, arguments):
    """Logs ten thousand bytes, as many times as it is told."""
    for number in range(int(arguments.get("text", "0"))):
        server.notify("notifications/message", {"level": "info", "logger": "flood", "data": f"{number} " + "x" * 10000})
    server.say(message, "flooded")


def escapes(server, message, arguments):
    """Writes terminal escapes and a forged record to stderr, then dies."""
    sys.stderr.write("\x1b]0;title\x07\x1b[31mred\r2026-01-01 error forged \u202e\u2028\n")
    sys.stderr.flush()
    os._exit(9)


def json_of(value):
    return f'"{value}"'.encode() if isinstance(value, str) else str(value).encode()


MISBEHAVIOUR = {
    function.__name__: function
    for function in (
        crash,
        killed,
        chatter,
        noise,
        spaced,
        long_line,
        torn,
        stray,
        steal,
        late,
        deaf,
        ticks,
        no_params,
        grow,
        undeclared,
        unprompted,
        gossip,
        pings,
        flood,
        escapes,
    )
}
