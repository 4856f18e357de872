"""A server that does what it is told: its only tool runs Python, so that a test can try things from inside a child.

    prying.py [--forever]

The code leaves what it found in `found`; what it raises is the text of a tool error. With --forever the process stays
when its input ends and when it is sent SIGTERM, and so does a process of its own in another session.
"""

import json
import os
import signal
import subprocess
import sys
import traceback

RUN = {
    "name": "run",
    "description": "Runs Python.",
    "inputSchema": {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]},
}
KEPT = {"found": None}


def run(code):
    KEPT["found"] = None
    try:
        exec(code, KEPT)
        text, is_error = json.dumps(KEPT["found"]), False
    except Exception as error:
        text, is_error = "".join(traceback.format_exception_only(error)).strip(), True
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


def answer(method, params):
    if method == "initialize":
        info = {"name": "prying", "version": "1"}
        return {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}
    if method == "tools/list":
        return {"tools": [RUN]}
    if method == "tools/call":
        return run(params["arguments"]["code"])
    return {} if method == "ping" else None


def main():
    if "--forever" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        script = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
        subprocess.Popen([sys.executable, "-S", "-c", script], start_new_session=True)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "id" not in message:
            continue
        result = answer(message["method"], message.get("params", {}))
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        if result is None:
            reply["error"] = {"code": -32601, "message": "no such method"}
        else:
            reply["result"] = result
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
        sys.stdout.buffer.flush()
    while "--forever" in sys.argv:
        signal.pause()


main()
