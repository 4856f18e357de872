"""A server written by hand, without an SDK: quick to start, exact in what it says, and as bad as it is told to be.

    plain.py [--era legacy|modern|dual] [--bad BEHAVIOUR]

Everything that it reads goes into the journal, so that a test sees what reached the child. Behaviours that belong to
one call are tools (`misbehaviour.py`, `questions.py`, `rounds.py`); those of a whole process are named with --bad
(`startup.py`).
"""

import argparse
import os
import sys
import threading
import time

from journal import note
from lines import Wire
from misbehaviour import MISBEHAVIOUR
from questions import QUESTIONS
from rounds import ROUNDS, task_cancel, task_state, task_update
from startup import BEHAVIOURS

MODERN = "2026-07-28"
LEGACY = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
INFO = {"name": "plain", "version": "1.0.0"}
META = {"io.modelcontextprotocol/serverInfo": INFO}
CACHE = {"ttlMs": 1000, "cacheScope": "private"}
TOOLS = {**MISBEHAVIOUR, **QUESTIONS, **ROUNDS}
CAPABILITIES = {"tools": {"listChanged": True}, "resources": {"subscribe": True}, "logging": {}, "prompts": {}}

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}}
ROUTED = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "flag": {"type": "boolean", "x-mcp-header": "Flag"},
        "free": {"type": "string"},
    },
}


class Plain:
    """The ordinary part: what a sound server answers."""

    def __init__(self, era, wire):
        self.era, self.wire = era, wire
        self.revision = None
        self.calls = 0
        self.questions = 0
        self.waiting = {}
        self.asked = {}
        self.listens = {}
        self.visited = set()
        self.held = []
        self.tasks, self.tasks_made = {}, 0

    def run(self):
        note("start", argv=sys.argv[1:])
        for message in self.wire.messages():
            note("read", message=message)
            if isinstance(message, list):
                for item in message:
                    self.take(item)
            else:
                self.take(message)
        note("end")

    def take(self, message):
        if "method" not in message:
            waiter = self.asked.pop(message.get("id"), None)
            if waiter is not None:
                waiter(message)
        elif "id" in message:
            self.request(message)
        else:
            self.notification(message)

    def is_modern(self, message):
        meta = (message.get("params") or {}).get("_meta") or {}
        return "io.modelcontextprotocol/protocolVersion" in meta

    def request(self, message):
        method, modern = message["method"], self.is_modern(message)
        if modern and self.era == "legacy":
            return self.error(message, -32601, f"Method not found: {method}")
        if not modern and self.era == "modern":
            return self.error(message, -32602, f"only {MODERN} is spoken here", {"supported": [MODERN]})
        handler = getattr(self, "on_" + method.replace("/", "_"), None)
        if handler is None:
            return self.error(message, -32601, f"Method not found: {method}")
        handler(message, message.get("params") or {})

    def notification(self, message):
        if message["method"] == "notifications/cancelled":
            wanted = (message.get("params") or {}).get("requestId")
            self.waiting.pop(wanted, None)
            self.listens.pop(wanted, None)

    def answer(self, message, result, cacheable=False):
        if self.is_modern(message):
            result = {"resultType": "complete", "_meta": META, **result, **(CACHE if cacheable else {})}
        self.wire.send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def error(self, message, code, text, data=None):
        body = {"code": code, "message": text, **({"data": data} if data is not None else {})}
        self.wire.send({"jsonrpc": "2.0", "id": message["id"], "error": body})

    def say(self, message, text, **more):
        self.answer(message, {"content": [{"type": "text", "text": text}], **more})

    def notify(self, method, params):
        self.wire.send({"jsonrpc": "2.0", "method": method, "params": params})

    def token(self, message):
        return ((message.get("params") or {}).get("_meta") or {}).get("progressToken")

    def ask(self, method, params, then):
        """Ask the client; the id of the question."""
        self.questions += 1
        number = f"ask-{self.questions}-{os.getpid()}"
        self.asked[number] = then
        self.wire.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    def on_initialize(self, message, params):
        wanted = params.get("protocolVersion")
        self.revision = wanted if wanted in LEGACY else LEGACY[-1]
        self.answer(message, {"protocolVersion": self.revision, "capabilities": CAPABILITIES, "serverInfo": INFO})

    def on_server_discover(self, message, params):
        capabilities = {**CAPABILITIES, "extensions": {"io.modelcontextprotocol/tasks": {}}}
        self.answer(message, {"supportedVersions": [MODERN], "capabilities": capabilities}, cacheable=True)

    def on_ping(self, message, params):
        self.answer(message, {})

    def on_logging_setLevel(self, message, params):
        self.answer(message, {})

    def on_resources_subscribe(self, message, params):
        if "refused" in params["uri"]:
            return self.error(message, -32602, "nobody may watch this")
        if "held" in params["uri"]:
            return self.held.append(message)
        self.answer(message, {})

    def on_resources_unsubscribe(self, message, params):
        self.answer(message, {})

    def on_prompts_list(self, message, params):
        self.answer(message, {"prompts": []}, cacheable=True)

    def on_resources_list(self, message, params):
        self.answer(message, {"resources": []}, cacheable=True)

    def on_resources_read(self, message, params):
        contents = [{"uri": params.get("uri"), "mimeType": "text/plain", "text": f"read {params.get('uri')}"}]
        self.answer(message, {"contents": contents}, cacheable=True)

    def on_tools_list(self, message, params):
        names = [
            "echo",
            "whoami",
            "environment",
            "wait",
            "hold",
            "progress",
            "log",
            "change",
            "update",
            "settle",
            "end_listens",
            "ask",
            "rounds",
            "reconsider",
        ]
        names += sorted(TOOLS)
        tools = [{"name": name, "inputSchema": TEXT} for name in names]
        self.answer(message, {"tools": [*tools, {"name": "routed", "inputSchema": ROUTED}]}, cacheable=True)

    def on_subscriptions_listen(self, message, params):
        wanted = params.get("notifications")
        if not isinstance(wanted, dict):
            return self.error(message, -32602, "notifications must be an object")
        self.listens[message["id"]] = wanted
        meta = {"io.modelcontextprotocol/subscriptionId": message["id"]}
        uris = [uri for uri in wanted.get("resourceSubscriptions", []) if "refused" not in uri]
        honoured = {**wanted, "resourceSubscriptions": uris} if "resourceSubscriptions" in wanted else wanted
        self.notify("notifications/subscriptions/acknowledged", {"notifications": honoured, "_meta": meta})

    def on_tools_call(self, message, params):
        self.calls += 1
        name, arguments = params.get("name"), params.get("arguments") or {}
        if not isinstance(name, str):
            return self.error(message, -32602, "name must be a string")
        handler = getattr(self, "tool_" + name, None)
        if handler is not None:
            handler(message, params, arguments)
        elif name in TOOLS:
            TOOLS[name](self, message, arguments)
        else:
            self.error(message, -32602, f"Unknown tool: {name}")

    def on_tasks_get(self, message, params):
        task_state(self, message, params)

    def on_tasks_update(self, message, params):
        task_update(self, message, params)

    def on_tasks_cancel(self, message, params):
        task_cancel(self, message, params)

    def tool_echo(self, message, params, arguments):
        self.say(message, str(arguments.get("text", "")))

    def tool_routed(self, message, params, arguments):
        self.say(message, "routed")

    def tool_whoami(self, message, params, arguments):
        facts = {"pid": os.getpid(), "calls": self.calls, "cwd": os.getcwd(), "revision": self.revision}
        self.say(message, "known", _meta={"test/whoami": facts})

    def tool_environment(self, message, params, arguments):
        self.say(message, "variables", _meta={"test/environment": dict(os.environ)})

    def tool_wait(self, message, params, arguments):
        self.waiting[message["id"]] = message
        token = (params.get("_meta") or {}).get("progressToken")
        if token is not None:
            self.notify("notifications/progress", {"progressToken": token, "progress": 1})

    def tool_hold(self, message, params, arguments):
        """Reports progress, then answers when a file exists."""
        self.tool_wait(message, params, arguments)
        note("hold", path=arguments["text"])

        def later():
            while message["id"] in self.waiting:
                if os.path.exists(arguments["text"]):
                    self.say(message, "released")
                    return
                time.sleep(0.01)

        threading.Thread(target=later, daemon=True).start()

    def tool_progress(self, message, params, arguments):
        token = (params.get("_meta") or {}).get("progressToken")
        for step in (1, 2, 3):
            if token is not None:
                self.notify("notifications/progress", {"progressToken": token, "progress": step, "total": 3})
        self.say(message, "done")

    def tool_log(self, message, params, arguments):
        self.notify("notifications/message", {"level": "info", "logger": "plain", "data": arguments.get("text", "")})
        self.say(message, "logged")

    def tool_settle(self, message, params, arguments):
        """Says at last whether the resources may be watched of which that was held back: "yes" or "no"."""
        for held in self.held:
            if arguments["text"] == "yes":
                self.answer(held, {})
            else:
                self.error(held, -32602, "not now")
        self.held = []
        self.say(message, "settled")

    def tool_change(self, message, params, arguments):
        if self.is_modern(message):
            for number, wanted in self.listens.items():
                if wanted.get("toolsListChanged"):
                    meta = {"io.modelcontextprotocol/subscriptionId": number}
                    self.notify("notifications/tools/list_changed", {"_meta": meta})
        else:
            self.wire.send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        self.say(message, "changed")

    def tool_update(self, message, params, arguments):
        """Tells that a resource has changed, whoever wants to know."""
        uri = arguments["text"]
        if not self.is_modern(message):
            self.notify("notifications/resources/updated", {"uri": uri})
        for number, wanted in self.listens.items():
            if uri in wanted.get("resourceSubscriptions", []):
                meta = {"io.modelcontextprotocol/subscriptionId": number}
                self.notify("notifications/resources/updated", {"uri": uri, "_meta": meta})
        self.say(message, "updated")

    def tool_end_listens(self, message, params, arguments):
        """Ends all listens, as a server that will soon stop does."""
        for number in list(self.listens):
            meta = {"io.modelcontextprotocol/subscriptionId": number}
            result = {"resultType": "complete", "_meta": meta}
            self.wire.send({"jsonrpc": "2.0", "id": number, "result": result})
            self.listens.pop(number)
        self.say(message, "ended")

    def tool_ask(self, message, params, arguments):
        self.ask("roots/list", {}, lambda answer: self.say(message, "asked", _meta={"test/answer": answer}))

    def tool_rounds(self, message, params, arguments):
        if "inputResponses" in params:
            facts = {"pid": os.getpid(), "state": params.get("requestState"), "inputs": params["inputResponses"]}
            return self.say(message, "enough", _meta={"test/rounds": facts})
        schema = {"type": "object", "properties": {"name": {"type": "string"}}}
        asked = {
            "method": "elicitation/create",
            "params": {"mode": "form", "message": "Who?", "requestedSchema": schema},
        }
        state = arguments.get("text", f"state of {os.getpid()} \u00fc")
        result = {"resultType": "input_required", "inputRequests": {"name": asked}, "requestState": state}
        self.answer(message, result)

    def tool_reconsider(self, message, params, arguments):
        if "requestState" in params:
            return self.say(message, f"back with {params['requestState']}")
        self.answer(message, {"resultType": "input_required", "requestState": "only a state"})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--era", choices=["legacy", "modern", "dual"], default="dual")
    parser.add_argument("--bad", choices=sorted(BEHAVIOURS))
    options = parser.parse_args()
    threading.current_thread().name = "main"
    wire = Wire()
    server = Plain(options.era, wire)
    if options.bad:
        BEHAVIOURS[options.bad](server)
    else:
        server.run()


if __name__ == "__main__":
    main()
