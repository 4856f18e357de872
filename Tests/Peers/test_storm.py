"""Many clients at once that behave badly at random, between the eras.

Nobody gets what is another's, and nothing runs twice. The randomness has fixed seeds: a failure can be had again.
"""

import json
import random
import threading

import pytest

from peers.gateway import plain
from peers.parking import ALL, Caller, Session, accepted, answers_to, asked, fresh_tag, retried, runs
from peers.raw import text_of
from peers.waiting import until
from peers.wire import Closed

SERVERS = {
    "asks": plain("--era", "legacy", era="legacy"),
    "modern": plain("--era", "modern", era="modern"),
    "fragile": plain("--era", "legacy", era="legacy", max_restarts=10),
}
SETS = (ALL, {"elicitation": {}}, {"elicitation": {"form": {}}, "roots": {}})


def together(work, count):
    """Run `work(number)` in threads; fail with the first error of any."""
    errors = []

    def run(number):
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
        assert not thread.is_alive(), "a client waits for ever"
    if errors:
        raise errors[0]


class Restless:
    """A modern client that does one thing after another and checks what concerns it."""

    def __init__(self, gateway, server, seed):
        self.gateway, self.server = gateway, server
        self.random = random.Random(seed)
        self.client = Caller(gateway, None, server, self.random.choice(SETS))
        self.finished, self.begun = [], []

    def step(self):
        self.random.choice([self.echo, self.finish, self.finish, self.series, self.leave, self.hang_up, self.tamper])()

    def echo(self):
        tag = fresh_tag()
        assert text_of(self.client.call("echo", tag)) == tag

    def park(self, tool="form_one"):
        tag = fresh_tag()
        self.begun.append(tag)
        result = self.client.park(tool, tag, timeout=30)
        assert all(words.startswith(tag) for words in asked(result)), "the question of another"
        return tag, result

    def finish(self):
        tag, result = self.park()
        done = self.client.finish("form_one", tag, result, {asked(result)[tag]: accepted(tag)}, timeout=30)
        assert done["_meta"]["test/answers"] == [accepted(tag)]
        self.finished.append(tag)

    def series(self):
        tag, result = self.park("series")
        for number in (1, 2, 3):
            assert list(asked(result)) == [f"{tag} {number}"], "the question of another"
            answers = {asked(result)[f"{tag} {number}"]: accepted(f"{tag}{number}")}
            result = self.client.retry("series", tag, result, answers, timeout=30).json(30)["result"]
        assert result["_meta"]["test/answers"] == [f"{tag}{number}" for number in (1, 2, 3)]
        self.finished.append(tag)

    def leave(self):
        self.park()

    def hang_up(self):
        tag = fresh_tag()
        self.begun.append(tag)
        connection, _ = self.client.begin(self.client.message("tools/call", retried("form_one", tag, {})))
        if self.random.random() < 0.5:
            self.client.request("prompts/list")
        connection.reset()

    def tamper(self):
        tag, result = self.park()
        state = result["requestState"]
        at = self.random.randrange(len(state))
        wrong = state[:at] + ("A" if state[at] != "A" else "B") + state[at + 1 :]
        message = self.client.retry("form_one", tag, {"requestState": wrong}, {asked(result)[tag]: accepted()}).json()
        assert message["error"]["code"] == -32602


@pytest.mark.parametrize("seed", [1, 2])
def test_restless_modern_clients_of_a_legacy_server(gateway, seed):
    clients = [Restless(gateway, "asks", seed * 100 + number) for number in range(10)]

    def work(number):
        for _ in range(15):
            clients[number].step()

    together(work, len(clients))
    tags = [note["tag"] for note in gateway.journal("asks", "run")]
    assert len(tags) == len(set(tags)), "something ran twice"
    for client in clients:
        for tag in client.finished:
            assert len(runs(gateway, "asks", tag)) == 1
            names = [answer["result"]["content"]["name"] for answer in answers_to(gateway, "asks", tag)]
            assert names and all(name.startswith(tag) for name in names), "the answer of another"
        for tag in set(client.begun) - set(client.finished):
            answered = [answer for answer in answers_to(gateway, "asks", tag) if "result" in answer]
            assert not [a for a in answered if a["result"].get("action") == "accept"], "nobody answered this"


def test_modern_clients_of_a_legacy_server_that_dies_again_and_again(gateway):
    """Every call ends with its own answer or with an error, and what was parked does not run again."""
    said = []

    def work(number):
        client = Caller(gateway, None, "fragile")
        for turn in range(6):
            tag = fresh_tag()
            if number == 0 and turn % 2:
                client.request("tools/call", {"name": "crash", "arguments": {}}, timeout=30)
                continue
            first = client.retry("form_one", tag, {}, timeout=30).json(30)
            if "error" in first:
                said.append(first["error"]["code"])
                continue
            assert list(asked(first["result"])) == [tag], "the question of another"
            answers = {asked(first["result"])[tag]: accepted(tag)}
            last = client.retry("form_one", tag, first["result"], answers, timeout=30).json(30)
            if "error" in last:
                said.append(last["error"]["code"])
            else:
                assert last["result"]["_meta"]["test/answers"] == [accepted(tag)]
                said.append("done")

    together(work, 6)
    assert "done" in said and set(said) <= {"done", -32602, -32603}
    tags = [note["tag"] for note in gateway.journal("fragile", "run")]
    assert len(tags) == len(set(tags)), "something ran twice"


@pytest.mark.parametrize("seed", [3, 4])
def test_restless_sessions_of_a_modern_server(gateway, seed):
    """Sessions answer, cancel, lose their streams and come back, or end."""

    def work(number):
        chance = random.Random(seed * 100 + number)
        session = Session(gateway, None, server="modern").open(30)
        for turn in range(8):
            tag = fresh_tag()
            reply = session.start("one_round", tag, id=f"{number}-{turn}")
            primer, event = reply.event(30), reply.event(30)
            assert primer.is_priming and tag in event.data, "the question of another"
            question = json.loads(event.data)
            match chance.randrange(4):
                case 0:
                    session.answer(question, accepted(tag))
                    last = reply.message(30)
                case 1:
                    params = {"requestId": f"{number}-{turn}"}
                    session.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
                    assert not [message for message in reply.messages(30) if "result" in message]
                    continue
                case 2:
                    reply.connection.reset()
                    session.answer(question, accepted(tag))
                    back = session.stream(last=primer.id if chance.random() < 0.5 else event.id)
                    last = next(message for message in back.messages(30) if "method" not in message)
                case _:
                    assert text_of(session.call("echo", tag, timeout=30)) == tag
                    session.answer(question, accepted(tag))
                    last = reply.message(30)
            assert last["id"] == f"{number}-{turn}"
            assert last["result"]["_meta"]["test/round"]["inputs"] == {"name": accepted(tag)}, "the answer of another"
        if chance.random() < 0.5:
            session.start("one_round", fresh_tag())
        session.delete()

    together(work, 8)
    tags = [note["tag"] for note in gateway.journal("modern", "asked")]
    assert len(tags) == len(set(tags)), "something ran twice"
    until(lambda: not gateway.children("modern"), "the end of all sessions' processes")


def test_streams_that_break_at_any_byte_leave_nothing_behind(gateway):
    """Callers who hang up while the round is on its way: the call is cancelled, or parked until it expires."""
    tags = []

    def work(number):
        client = Caller(gateway, None, "asks")
        for turn in range(6):
            tag = fresh_tag()
            tags.append(tag)
            connection, exchange = client.begin(client.message("tools/call", retried("form_one", tag, {})))
            if turn % 3 == 0:
                try:
                    connection.read(exchange)
                except Closed:
                    pass
            connection.reset()
        assert text_of(client.call("echo", "still", timeout=30)) == "still"

    together(work, 8)
    assert all(len(runs(gateway, "asks", tag)) <= 1 for tag in tags)
    assert not [a for tag in tags for a in answers_to(gateway, "asks", tag) if "accept" in str(a)]
