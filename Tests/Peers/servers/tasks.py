"""A server written by hand that makes tasks of calls (extension `io.modelcontextprotocol/tasks`), revision 2026-07-28 only.

A task is a counter of how often it was asked for: it works until its second `tasks/get`. What it should do besides stands
in the call's `text`: a number is its `ttlMs`, and see the tools.
"""

import os

from journal import note
from lines import Wire
from plain import CAPABILITIES, CACHE, META, MODERN, Plain

EXTENSION = "io.modelcontextprotocol/tasks"
WHEN = "2026-11-01T00:00:00Z"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


class Tasks(Plain):
    def __init__(self, wire):
        super().__init__("modern", wire)
        self.tasks = {}

    def on_server_discover(self, message, params):
        capabilities = {**CAPABILITIES, "extensions": {EXTENSION: {}}}
        result = {"resultType": "complete", "_meta": META, "supportedVersions": [MODERN], **CACHE}
        self.answer(message, {**result, "capabilities": capabilities})

    def on_tools_list(self, message, params):
        names = ["echo", "whoami", "rounds", "work", "confirm", "force", "unnamed"]
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
        self.answer(message, {"tools": tools}, cacheable=True)

    def make(self, message, lifetime=60_000, status="working", **more):
        number = f'own "{os.getpid()}" {len(self.tasks) + 1} \u00fc'
        self.tasks[number] = {"taskId": number, "status": status, "createdAt": WHEN, "lastUpdatedAt": WHEN,
                              "ttlMs": lifetime, "pollIntervalMs": 10, **more}
        note("made", task=number)
        self.answer(message, {"resultType": "task", **self.tasks[number]})

    def tool_work(self, message, params, arguments):
        text = arguments.get("text", "60000")
        self.make(message, None if text == "for ever" else int(text))

    def tool_confirm(self, message, params, arguments):
        asked = {"method": "elicitation/create", "params": {"mode": "form", "message": "Sure?", "requestedSchema": {
            "type": "object", "properties": {"sure": {"type": "boolean"}}}}}
        self.make(message, status="input_required", inputRequests={"sure": asked})

    tool_force = tool_work

    def tool_unnamed(self, message, params, arguments):
        self.answer(message, {"resultType": "task", "status": "working", "ttlMs": None})

    def task(self, message, params):
        task = self.tasks.get(params.get("taskId"))
        if task is None:
            self.error(message, -32602, "Unknown task")
        return task

    def on_tasks_get(self, message, params):
        task = self.task(message, params)
        if task is None:
            return
        if task["status"] == "working":
            task["asked"] = task.get("asked", 0) + 1
            if task["asked"] == 2:
                task["status"] = "completed"
                task["result"] = {"content": [{"type": "text", "text": f"worked in {os.getpid()}"}], "isError": False}
        self.answer(message, {name: value for name, value in task.items() if name != "asked"})

    def on_tasks_update(self, message, params):
        task = self.task(message, params)
        if task is None:
            return
        task.pop("inputRequests", None)
        task["status"] = "working"
        self.answer(message, {})
        self.tell(task)

    def on_tasks_cancel(self, message, params):
        task = self.task(message, params)
        if task is None:
            return
        task["status"] = "cancelled"
        self.answer(message, {})
        self.tell(task)

    def tell(self, task):
        """Tells every listener, also those that did not ask: a test sees that they hear nothing."""
        for number in self.listens:
            facts = {name: value for name, value in task.items() if name != "asked"}
            self.notify("notifications/tasks", {**facts, "_meta": {SUBSCRIPTION: number}})


if __name__ == "__main__":
    Tasks(Wire()).run()
