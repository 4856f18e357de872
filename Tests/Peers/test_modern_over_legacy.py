"""A modern client in front of a legacy server, by hand: subscriptions, levels of log, handshakes and bad servers."""

import threading

import pytest

from peers.gateway import bad, plain
from peers.parking import ALL
from peers.raw import SUBSCRIPTION, LegacySession, ModernClient, error_of, text_of
from peers.waiting import until


def legacy(**more):
    return plain("--era", "legacy", era="legacy", **more)


SERVERS = {
    "legacy": legacy(),
    "watched": legacy(),
    "levels": legacy(),
    "once": legacy(restart_on_failure=False),
    "twice": legacy(max_restarts=1),
    "narrow": legacy(limits={"inFlight": 3}),
    "exits": bad("exits", "--era", "legacy", era="legacy"),
    "silent": bad("silent", "--era", "legacy", era="legacy", timeout_seconds=1),
    "crashing": bad("crashes_twice", "--era", "legacy", era="legacy"),
    "strict": bad("strict", "--era", "legacy", era="legacy"),
}
PREFIX = "io.modelcontextprotocol/"


def client_of(gateway, ledger, server="legacy", capabilities=None):
    return ModernClient(gateway, ledger, server, {} if capabilities is None else capabilities)


@pytest.fixture
def client(gateway, ledger):
    return client_of(gateway, ledger)


def told(gateway, server, *methods):
    """What a server was told of some methods, in order: the process, the method and the parameters."""
    return [
        (note["pid"], note["message"]["method"], note["message"].get("params", {}))
        for note in gateway.journal(server, "read")
        if note["message"].get("method") in methods
    ]


def acknowledged(stream):
    message = stream.message()
    assert message["method"] == "notifications/subscriptions/acknowledged", message
    return message["params"]["notifications"]


class TestSubscriptions:
    """A resource is subscribed to with the first listen that names it, and unsubscribed from with the last."""

    @staticmethod
    def about(gateway, uri):
        methods = ("resources/subscribe", "resources/unsubscribe")
        return [method for _, method, params in told(gateway, "watched", *methods) if params["uri"] == uri]

    def test_listens_are_counted(self, gateway, ledger):
        client, uri = client_of(gateway, ledger, "watched"), "test://counted"
        one, two = client.listen(id=1, resourceSubscriptions=[uri]), client.listen(id=2, resourceSubscriptions=[uri])
        assert acknowledged(one) == acknowledged(two) == {"resourceSubscriptions": [uri]}
        assert self.about(gateway, uri) == ["resources/subscribe"]
        one.connection.close()
        client.call("update", uri)
        news = two.message()
        assert news["method"] == "notifications/resources/updated" and news["params"]["uri"] == uri
        assert news["params"]["_meta"][SUBSCRIPTION] == 2
        assert self.about(gateway, uri) == ["resources/subscribe"], "one still listens"
        two.connection.close()
        until(lambda: self.about(gateway, uri) == ["resources/subscribe", "resources/unsubscribe"], "the end of it")

    def test_what_the_server_does_not_honour_is_not_acknowledged(self, gateway, ledger):
        client = client_of(gateway, ledger, "watched")
        uris = ["test://good", "test://refused"]
        stream = client.listen(id=3, resourceSubscriptions=uris, toolsListChanged=True, promptsListChanged=True)
        assert acknowledged(stream) == {"toolsListChanged": True, "resourceSubscriptions": ["test://good"]}
        stream.connection.close()

    def test_what_the_server_refused_is_acknowledged_to_no_later_listen_either(self, gateway, ledger):
        client, refused = client_of(gateway, ledger, "watched"), "test://refused-to-both"
        one = client.listen(id=1, resourceSubscriptions=["test://both", refused])
        two = client.listen(id=2, resourceSubscriptions=[refused, "test://both"])
        assert acknowledged(one) == acknowledged(two) == {"resourceSubscriptions": ["test://both"]}
        assert self.about(gateway, refused) == ["resources/subscribe"] * 2, "asked again: the server may have it now"
        assert self.about(gateway, "test://both") == ["resources/subscribe"]
        client.call("update", refused)
        client.call("update", "test://both")
        assert one.message()["params"]["uri"] == two.message()["params"]["uri"] == "test://both"
        one.connection.close()
        two.connection.close()

    @pytest.mark.parametrize("verdict", ["yes", "no"])
    def test_listens_wait_for_the_answer_and_hear_nothing_before(self, gateway, ledger, verdict):
        client, uri = client_of(gateway, ledger, "watched"), f"test://held-{verdict}"
        wanted = {"notifications": {"resourceSubscriptions": [uri], "toolsListChanged": True}}
        begun = [client.begin(client.message("subscriptions/listen", wanted, id=number)) for number in (1, 2)]
        until(lambda: self.about(gateway, uri), "the subscription")
        client.call("change")
        client.call("change")
        client.call("settle", verdict)
        granted = {"toolsListChanged": True, **({"resourceSubscriptions": [uri]} if verdict == "yes" else {})}
        for connection, exchange in begun:
            stream = connection.read(exchange)
            assert acknowledged(stream) == granted
            assert stream.message()["method"] == "notifications/tools/list_changed"
        assert self.about(gateway, uri) == ["resources/subscribe"]
        later, exchange = client.begin(client.message("subscriptions/listen", wanted, id=3))
        if verdict == "no":
            until(lambda: len(self.about(gateway, uri)) == 2, "the second question")
            client.call("settle", "yes")
        granted["resourceSubscriptions"] = [uri]
        assert acknowledged(later.read(exchange)) == granted
        for connection, _ in [*begun, (later, None)]:
            connection.close()

    def test_a_listen_covers_all_processes_of_the_caller(self, gateway, ledger):
        uri = "test://everywhere"
        quiet, able = client_of(gateway, ledger, "watched"), client_of(gateway, ledger, "watched", ALL)
        pids = {quiet.whoami()["pid"], able.whoami()["pid"]}
        assert len(pids) == 2
        stream = quiet.listen(id="all", resourceSubscriptions=[uri], toolsListChanged=True)
        acknowledged(stream)

        def subscribed():
            subscriptions = told(gateway, "watched", "resources/subscribe")
            return {pid for pid, _, params in subscriptions if params["uri"] == uri} == pids

        until(subscribed, "the subscription in each process")
        for client in (able, quiet):
            client.call("update", uri)
            assert stream.message()["method"] == "notifications/resources/updated"
            client.call("change")
            assert stream.message()["method"] == "notifications/tools/list_changed"
        stream.connection.close()

    def test_a_process_that_comes_later_is_covered_too(self, gateway, ledger):
        uri = "test://later"
        client = client_of(gateway, ledger, "watched")
        stream = client.listen(id="later", resourceSubscriptions=[uri])
        acknowledged(stream)
        newcomer = client_of(gateway, ledger, "watched", {"roots": {}})
        newcomer.call("update", uri)
        assert stream.message()["params"]["uri"] == uri
        stream.connection.close()

    def test_a_process_that_was_replaced_is_asked_again(self, gateway, ledger):
        client, uri = client_of(gateway, ledger, "watched", {"sampling": {}}), "test://again"
        stream = client.listen(id="again", resourceSubscriptions=[uri])
        acknowledged(stream)
        pid = client.whoami()["pid"]
        assert "error" in client.request("tools/call", {"name": "crash", "arguments": {}})

        def subscribed():
            subscriptions = told(gateway, "watched", "resources/subscribe")
            return [other for other, _, params in subscriptions if params["uri"] == uri and other != pid]

        assert client.whoami()["pid"] != pid
        until(subscribed, "the subscription in the new process")
        client.call("update", uri)
        assert stream.message()["params"]["uri"] == uri
        stream.connection.close()


class TestLogs:
    """The server is set to the lowest level that any call wanted; each call hears its own."""

    @staticmethod
    def call(client, level, text):
        params = {"name": "log", "arguments": {"text": text}}
        if level is not None:
            params["_meta"] = {PREFIX + "logLevel": level}
        assert "result" in client.request("tools/call", params)
        return [notice["params"]["data"] for notice in client.notices if notice["method"] == "notifications/message"]

    def test_each_call_hears_from_its_own_level_on(self, gateway, ledger):
        client = client_of(gateway, ledger, "levels")
        heard = [self.call(client, level, str(level)) for level in ("error", None, "debug", "warning", "info")]
        assert heard == [[], [], ["debug"], [], ["info"]]
        levels = [params["level"] for _, _, params in told(gateway, "levels", "logging/setLevel")]
        assert levels == ["error", "debug"], "lowered when it must be, and never raised"

    def test_a_process_that_was_replaced_is_told_the_level_again(self, gateway, ledger):
        client = client_of(gateway, ledger, "levels")
        assert self.call(client, "info", "before") == ["before"]
        assert "error" in client.request("tools/call", {"name": "crash", "arguments": {}})
        assert self.call(client, "info", "after") == ["after"]
        pid = client.whoami()["pid"]
        levels = [params["level"] for at, _, params in told(gateway, "levels", "logging/setLevel") if at == pid]
        assert levels == ["info"]


def test_a_server_gets_a_handshake_and_nothing_of_the_modern_era(gateway, client):
    meta = {"progressToken": "mine", "example.com/kept": {"a": 1}, PREFIX + "logLevel": "info"}
    params = {"name": "progress", "arguments": {}, "_meta": meta, "task": {"ttl": 1}}
    assert "result" in client.request("tools/call", params)
    assert {notice["params"]["progressToken"] for notice in client.notices} == {"mine"}
    pid = client.whoami()["pid"]
    first, second = [note["message"] for note in gateway.journal("legacy", "read") if note["pid"] == pid][:2]
    assert first["method"] == "initialize" and first["params"]["protocolVersion"] == "2025-11-25"
    assert first["params"]["clientInfo"]["name"] and "_meta" not in first["params"]
    assert second["method"] == "notifications/initialized"
    (call,) = [p for at, _, p in told(gateway, "legacy", "tools/call") if at == pid and p["name"] == "progress"]
    assert set(call) == {"name", "arguments", "_meta"}
    assert set(call["_meta"]) == {"progressToken", "example.com/kept"} and call["_meta"]["progressToken"] != "mine"


def test_discovery_is_made_of_the_handshake(gateway, client):
    found = client.request("server/discover")["result"]
    assert found["supportedVersions"] == ["2026-07-28"] and found["ttlMs"] == 0 and found["cacheScope"] == "private"
    assert found["_meta"][PREFIX + "serverInfo"] == {"name": "plain", "version": "1.0.0"}
    assert found["capabilities"] == {
        "tools": {"listChanged": True},
        "resources": {"subscribe": True},
        "prompts": {},
        "logging": {},
    }
    assert not gateway.seen("legacy", "server/discover")


def test_a_ping_of_the_server_is_answered_here(gateway, ledger):
    for capabilities in ({}, ALL):
        client = client_of(gateway, ledger, capabilities=capabilities)
        assert client.call("pings")["_meta"]["test/answer"]["result"] == {}


@pytest.mark.parametrize("tool", ["odd_type", "always_again", "one_round"])
def test_a_result_that_pretends_to_be_modern_is_not_passed_on(client, tool):
    assert error_of(client.send("tools/call", LegacySession.tool(tool))) == -32603


def test_questions_after_the_call_are_answered_with_an_error(gateway, ledger):
    client = client_of(gateway, ledger, capabilities=ALL)
    assert text_of(client.call("unprompted", "3")) == "and now a question"
    pid = client.whoami()["pid"]

    def refused():
        answers = [note["message"] for note in gateway.journal("legacy", "read") if note["pid"] == pid]
        return [a for a in answers if "error" in a and str(a.get("id")).startswith("ask-")]

    until(lambda: len(refused()) == 3, "three refusals")


def test_a_server_that_ends_at_once_is_an_error(gateway, ledger):
    client = client_of(gateway, ledger, "exits")
    for _ in range(2):
        answer = client.request("tools/list")
        assert answer["error"]["code"] == -32603 and "exit status 3" in answer["error"]["message"]


def test_a_server_that_never_answers_its_handshake_is_an_error(gateway, ledger):
    client, answers = client_of(gateway, ledger, "silent"), []
    threads = [threading.Thread(target=lambda: answers.append(client.request("tools/list"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 3 and all(answer["error"]["code"] == -32603 for answer in answers)


def test_a_server_that_ends_in_its_handshake_is_started_again(gateway, ledger):
    client = client_of(gateway, ledger, "crashing")

    def works():
        return "result" in client.request("tools/call", LegacySession.tool("echo", "up"))

    until(works, "a start that succeeds")


@pytest.mark.parametrize("server", ["once", "twice"])
def test_a_server_that_is_given_up_is_started_anew_for_the_next_caller(gateway, ledger, server):
    """Only a session ends with its server; a caller without a session begins again."""
    client = client_of(gateway, ledger, server)
    for _ in range(4):
        assert "error" in client.request("tools/call", LegacySession.tool("crash"))
    until(lambda: "result" in client.request("tools/call", LegacySession.tool("echo", "up")), "an answer")


def test_a_server_that_bears_nothing_before_its_handshake_is_greeted_first(gateway, ledger):
    client = client_of(gateway, ledger, "strict")
    assert text_of(client.call("echo", "greeted")) == "greeted"


def test_calls_that_find_no_place_in_the_queue_get_an_error(gateway, ledger, tmp_path):
    """One call is with a server that may ask, as many as are allowed wait, and the next is refused."""
    client, gate = client_of(gateway, ledger, "narrow", ALL), tmp_path / "gate"
    begun = client.begin(client.message("tools/call", LegacySession.tool("hold", str(gate))))
    until(lambda: gateway.journal("narrow", "hold"), "the first call")
    answers = []

    def call(number):
        answers.append(client.request("tools/call", LegacySession.tool("echo", str(number))))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: answers, "a refusal")
    assert answers[0]["error"]["code"] == -32603
    gate.touch()
    for thread in threads:
        thread.join()
    assert text_of(begun[0].read(begun[1]).json()["result"]) == "released"
    assert sorted("error" in answer for answer in answers) == [False, False, False, True]
