"""Questions by hand, in both eras: rounds with their states, and requests on the stream of a call."""

import uuid

from peers.raw import LATEST, LegacySession, ModernClient, rpc

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


class Session(LegacySession):
    """A session whose questions are answered by hand."""

    def __init__(self, gateway, ledger, capabilities=None, server="modern", revision=LATEST):
        super().__init__(gateway, ledger, server, revision, ALL if capabilities is None else capabilities)

    def start(self, tool, text, id=90):
        """Begin a call; the reply, whose messages come one by one."""
        connection, exchange = self.begin(rpc("tools/call", self.tool(tool, text), id))
        return connection.read(exchange)

    def answer(self, question, result):
        reply = self.post({"jsonrpc": "2.0", "id": question["id"], "result": result})
        assert reply.status == 202, reply.status

    def converse(self, tool, text, answers, id=90):
        """Call a tool and give the answers in turn; the questions, and the message that ends it."""
        reply, asked = self.start(tool, text, id), []
        answers = iter(answers)
        while True:
            message = reply.message() if reply.is_stream else reply.json()
            if "method" not in message:
                return asked, message
            if "id" in message:
                asked.append(message)
                self.answer(message, next(answers))


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
        words[
            params.get("message") or (params["messages"][0]["content"]["text"] if "messages" in params else "roots")
        ] = key
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
