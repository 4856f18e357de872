"""An MCP server over HTTP that is written by hand: it notes every request and behaves as badly as it is told to.

    upstream.py [--port PORT] BEHAVIOUR

    sound        a session of 2025-11-25, with a stream of its own
    mute         takes connections and answers nothing
    garbage      answers what is not HTTP
    html         answers every request with a page
    unauthorized 401 with a challenge
    guarded      the same, unless a request carries the bearer token of the variable UPSTREAM_TOKEN
    redirecting  307 to another place
    endless      answers a call with a body that does not end
    torn         begins to answer a call, and breaks off
    forgetful    answers each second call of a tool of a session with 404
    lasting      leaves the event stream of each answer open
    deaf         never answers a notification
"""

import argparse
import itertools
import json
import os
import socket
import threading
import uuid

from journal import note

INFO = {"name": "upstream", "version": "1"}
FORGOTTEN = b'{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"}}'
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
TOKEN = "Bearer " + os.environ.get("UPSTREAM_TOKEN", "")
sessions, numbers = {}, itertools.count(1)


def read(stream):
    """A request's line, fields and body; None at the end."""
    line = stream.readline().decode().strip()
    if not line:
        return None
    fields = {}
    while text := stream.readline().decode().strip():
        name, _, value = text.partition(":")
        fields[name.lower()] = value.strip()
    return line, fields, stream.read(int(fields.get("content-length", 0)))


def reply(connection, status, body=b"", kind="application/json", **fields):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    connection.sendall(head.encode() + b"\r\n" + body)


def answer(message, result):
    # With white space in it, as some servers write it.
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}, indent=1).encode() + b"\r\n"


class Behaviour:
    def __init__(self, word):
        self.word = word

    def serve(self, connection):
        stream = connection.makefile("rb")
        try:
            if self.word == "mute":
                stream.read()
            elif self.word == "garbage":
                connection.sendall(b"\x00\x01 not at all\r\n\r\n")
            else:
                while (request := read(stream)) and self.take(connection, *request):
                    pass
        except OSError:
            pass
        finally:
            connection.close()

    def take(self, connection, line, fields, body):
        method = line.split()[0]
        message = json.loads(body) if body else None
        note("request", line=line, fields=fields, message=message)
        if self.word == "html":
            reply(connection, "200 OK", b"<html>hello</html>", "text/html")
        elif self.word == "unauthorized" or self.word == "guarded" and fields.get("authorization") != TOKEN:
            reply(connection, "401 Unauthorized", WWW_Authenticate='Bearer realm="elsewhere"')
        elif self.word == "redirecting":
            reply(connection, "307 Temporary Redirect", Location="http://127.0.0.1:1/")
        elif method == "GET":
            reply(connection, "405 Method Not Allowed")
        elif method == "DELETE":
            sessions.pop(fields.get("mcp-session-id"), None)
            reply(connection, "200 OK")
        else:
            return self.post(connection, fields, message)
        return True

    def post(self, connection, fields, message):
        word = message.get("method")
        if word == "initialize":
            session = uuid.uuid4().hex
            sessions[session] = {"user": message["params"]["clientInfo"]["name"], "calls": 0}
            offers = {"tools": {"listChanged": True}, "logging": {}}
            result = {"protocolVersion": "2025-11-25", "capabilities": offers, "serverInfo": INFO}
            reply(connection, "200 OK", answer(message, result), Mcp_Session_Id=session)
        elif word == "server/discover":
            error = {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no such method"}}
            reply(connection, "400 Bad Request", json.dumps(error).encode())
        elif fields.get("mcp-session-id") not in sessions:
            reply(connection, "404 Not Found", FORGOTTEN)
        elif "id" not in message:
            if self.word != "deaf":
                reply(connection, "202 Accepted")
        else:
            return self.call(connection, fields["mcp-session-id"], message)
        return True

    def call(self, connection, id, message):
        session = sessions[id]
        session["calls"] += message["method"] == "tools/call"
        if self.word == "forgetful" and message["method"] == "tools/call" and session["calls"] % 2 == 0:
            del sessions[id]
            reply(connection, "404 Not Found")
            return True
        if message["method"] != "tools/call":
            tool = {"name": "who", "inputSchema": {"type": "object"}}
            reply(connection, "200 OK", answer(message, {"tools": [tool]}))
            return True
        if self.word == "endless":
            connection.sendall(LONG)
            while True:
                connection.sendall(b" " * 65536)
        if self.word == "torn":
            connection.sendall(CHUNKED + b"8\r\n: well\n\n\r\n")
            return False
        note("call", session=id, arguments=message["params"].get("arguments"))
        text = json.dumps({"session": id, "user": session["user"], "call": next(numbers)})
        result = {"content": [{"type": "text", "text": text}]}
        if self.word == "lasting":
            data = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result})
            event = f"data: {data}\n\n".encode()
            connection.sendall(CHUNKED + f"{len(event):x}\r\n".encode() + event + b"\r\n")
            # Until the other side has had enough of it.
            left = connection.recv(1) == b""
            note("left", stream=left)
            return False
        reply(connection, "200 OK", answer(message, result))
        return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("behaviour")
    chosen = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", chosen.port))
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    behaviour = Behaviour(chosen.behaviour)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=behaviour.serve, args=[connection], daemon=True).start()


if __name__ == "__main__":
    os.environ.setdefault("PEER_JOURNAL", os.devnull)
    main()
