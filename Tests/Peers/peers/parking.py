"""Rounds by hand: the first call, its questions, and the retries, with everything in the test's reach."""

import uuid

from peers.raw import LegacySession, ModernClient

ALL = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}


def fresh_tag():
    return uuid.uuid4().hex


def accepted(name="Ada"):
    return {"action": "accept", "content": {"name": name}}


def modelled(text="an answer"):
    return {"role": "assistant", "content": {"type": "text", "text": text}, "model": "none"}


class Caller(ModernClient):
    """A modern client that gives its answers by hand."""

    def __init__(self, gateway, ledger, server="asks", capabilities=None):
        super().__init__(gateway, ledger, server, ALL if capabilities is None else capabilities)

    def park(self, tool, tag, timeout=10.0, meta=None):
        """Call a tool that asks; the round that it answers with."""
        reply = self.retry(tool, tag, {}, timeout=timeout, meta=meta)
        message = reply.json(timeout)
        assert message.get("result", {}).get("resultType") == "input_required", f"{reply.status}: {message}"
        return message["result"]

    def retry(self, tool, tag, result, answers=None, timeout=10.0, **more):
        """Send the call again with answers and the state of a round; the reply."""
        return self.send("tools/call", retried(tool, tag, result, answers), timeout=timeout, **more)

    def finish(self, tool, tag, result, answers=None, **more):
        """The result of a retry that is the last."""
        message = self.retry(tool, tag, result, answers, **more).json()
        assert message.get("result", {}).get("resultType") == "complete", message
        return message["result"]


def retried(tool, tag, result, answers=None):
    params = {**LegacySession.tool(tool, tag)}
    if answers is not None:
        params["inputResponses"] = answers
    if "requestState" in result:
        params["requestState"] = result["requestState"]
    return params


def asked(result):
    """The questions of a round by the words that the user would read."""
    words = {}
    for key, request in result["inputRequests"].items():
        params = request.get("params", {})
        words[params.get("message") or (params["messages"][0]["content"]["text"] if "messages" in params else "roots")] = key
    return words


def runs(gateway, server, tag):
    """How often a tool began to run for a tag."""
    return [note for note in gateway.journal(server, "run") if note["tag"] == tag]


def answers_to(gateway, server, tag):
    """What the server was answered, in the order in which it came."""
    return [note["answer"] for note in gateway.journal(server, "answer") if note["tag"] == tag]


def cancelled_ids(gateway, server):
    """The requests that the server was told to give up, as (process, id)."""
    return {
        (note["pid"], note["message"]["params"]["requestId"])
        for note in gateway.journal(server, "read")
        if note["message"].get("method") == "notifications/cancelled"
    }


def is_cancelled(gateway, server, tag):
    return all((note["pid"], note["id"]) in cancelled_ids(gateway, server) for note in runs(gateway, server, tag))
