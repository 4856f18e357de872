"""The official suite's server scenarios of 2026-07-28 alone. A test is named after its scenario."""

import uuid

import pytest

from peers.conformance import choices_fit, defaults_fit, tool
from peers.parking import accepted, modelled
from peers.raw import CAPABILITIES, CLIENT, MODERN, SUBSCRIPTION, VERSION, text_of
from peers.waiting import until

ROOTS = {"roots": [{"uri": "file:///home/ada"}]}
SERVER = "io.modelcontextprotocol/serverInfo"
LEVEL = "io.modelcontextprotocol/logLevel"


@pytest.fixture
def client(suite):
    return suite.modern()


def refused(reply, code, status):
    """Assert that a reply is an error of a code with a status; the error."""
    message = reply.json()
    assert "error" in message, message
    assert (message["error"]["code"], reply.status) == (code, status), message
    return message["error"]


def retry(client, method, params, result, answers, **more):
    """The reply to the same request again, with answers and the state that was given."""
    params = {**params, "inputResponses": answers}
    if "requestState" in result:
        params["requestState"] = result["requestState"]
    return client.send(method, params, **more)


def needs(client, name, /, **arguments):
    """Call a tool that needs input; the result of the first round."""
    reply = client.send("tools/call", tool(name, **arguments))
    result = reply.json().get("result", {})
    assert result.get("resultType") == "input_required", f"{reply.status}: {reply.json()}"
    assert reply.status == 200
    return result


def again(client, name, result, answers, /, **arguments):
    """The result of the next round."""
    message = retry(client, "tools/call", tool(name, **arguments), result, answers).json()
    assert "result" in message, message
    return message["result"]


class TestServerStateless:
    """server-stateless"""

    @pytest.mark.parametrize("missing", ["_meta", VERSION, CAPABILITIES])
    def test_a_request_without_its_envelope_is_refused(self, client, missing):
        message = client.message("tools/list")
        if missing == "_meta":
            del message["params"]["_meta"]
        else:
            del message["params"]["_meta"][missing]
        refused(client.post(message), -32602, 400)

    def test_the_name_of_the_client_is_optional(self, client):
        message = client.message("tools/list")
        del message["params"]["_meta"][CLIENT]
        assert client.post(message).status == 200

    def test_discovery_has_its_shape(self, client):
        result = client.request("server/discover")["result"]
        assert MODERN in result["supportedVersions"] and isinstance(result["capabilities"], dict)
        assert isinstance(result["ttlMs"], int) and result["cacheScope"] in ("public", "private")
        assert result["_meta"][SERVER]["name"] and result["_meta"][SERVER]["version"]

    @pytest.mark.parametrize("kind", ["tools", "prompts", "resources"])
    def test_what_is_declared_is_served(self, client, kind):
        declared = client.request("server/discover")["result"]["capabilities"]
        answer = client.request(f"{kind}/list")
        assert (kind in declared) == ("result" in answer)

    @pytest.mark.parametrize("version", ["1999-01-01", "2099-12-31", "nonsense"])
    def test_a_version_that_is_not_spoken_is_refused_with_those_that_are(self, client, version):
        message = client.message("tools/list")
        message["params"]["_meta"][VERSION] = version
        error = refused(client.post(message, {"MCP-Protocol-Version": version}), -32022, 400)
        found = client.request("server/discover")["result"]["supportedVersions"]
        assert error["data"]["requested"] == version and set(error["data"]["supported"]) <= set(found)

    def test_a_header_that_differs_from_the_body_is_refused(self, client):
        for header in ("2025-11-25", "2099-12-31"):
            refused(client.post(client.message("tools/list"), {"MCP-Protocol-Version": header}), -32020, 400)

    def test_a_missing_capability_is_named(self, suite):
        reply = suite.modern(capabilities={}).send("tools/call", tool("test_missing_capability"))
        error = refused(reply, -32021, 400)
        assert "sampling" in error["data"]["requiredCapabilities"]

    @pytest.mark.parametrize(
        "method",
        ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "no/such"],
    )
    def test_methods_that_do_not_exist_are_not_found(self, client, method):
        id = f"id-of-{method}"
        reply = client.send(method, {"uri": "test://watched-resource", "level": "info"}, id=id)
        refused(reply, -32601, 404)
        assert reply.json()["id"] == id

    def test_a_question_is_a_result_and_no_request(self, client):
        messages = client.send("tools/call", {**tool("test_streaming_elicitation"), "_meta": {"progressToken": 3}})
        messages = messages.messages() if messages.is_stream else [messages.json()]
        assert not [message for message in messages if "method" in message and "id" in message]
        assert messages[-1]["result"]["resultType"] == "input_required"

    def test_a_log_is_for_those_who_ask_for_it(self, suite):
        """The client declares nothing, so that no parked call of another test could be the one that logs."""
        client = suite.modern(capabilities={})
        client.call("test_logging_tool")
        assert not client.notices
        answer = client.request("tools/call", {**tool("test_logging_tool"), "_meta": {LEVEL: "info"}})
        assert "result" in answer
        assert [notice["params"]["level"] for notice in client.notices] == ["info"]
        client.request("tools/call", {**tool("test_logging_tool"), "_meta": {LEVEL: "error"}})
        assert not client.notices, "less than was asked for"

    @pytest.mark.parametrize("kind", ["tool", "prompt"])
    def test_a_listener_hears_what_it_asked_for(self, client, kind):
        wanted = {f"{kind}sListChanged": True}
        stream = client.listen(id=f"listen-{kind}", **wanted)
        first = stream.message()
        assert first["method"] == "notifications/subscriptions/acknowledged"
        assert first["params"]["notifications"] == wanted
        other = {"tool": "prompt", "prompt": "tool"}[kind]
        client.call(f"test_trigger_{other}_change")
        client.call(f"test_trigger_{kind}_change")
        news = stream.message()
        assert news["method"] == f"notifications/{kind}s/list_changed", "and nothing of the other kind"
        assert first["params"]["_meta"][SUBSCRIPTION] == news["params"]["_meta"][SUBSCRIPTION] == f"listen-{kind}"
        stream.connection.close()


def test_sep_2164_resource_not_found(client):
    reply = client.send("resources/read", {"uri": "test://nonexistent-resource"})
    error = reply.json()["error"]
    assert error["code"] == -32602 and error["data"]["uri"] == "test://nonexistent-resource"


def test_caching(client):
    listed = [client.request(f"{kind}/list") for kind in ("tools", "prompts", "resources", "resources/templates")]
    uri = listed[2]["result"]["resources"][0]["uri"]
    for answer in (*listed, client.request("resources/read", {"uri": uri})):
        result = answer["result"]
        assert isinstance(result["ttlMs"], int) and result["ttlMs"] >= 0
        assert result["cacheScope"] in ("public", "private")


class TestInputRequiredResult:
    """input-required-result-*"""

    def test_basic_elicitation(self, client):
        first = needs(client, "test_input_required_result_elicitation")
        question = first["inputRequests"]["user_name"]
        assert question["method"] == "elicitation/create"
        assert question["params"]["message"] == "What is your name?"
        assert question["params"]["requestedSchema"]["properties"]["name"]["type"] == "string"
        last = again(client, "test_input_required_result_elicitation", first, {"user_name": accepted("Alice")})
        assert last["resultType"] == "complete" and text_of(last) == "Hello, Alice!"

    def test_basic_sampling(self, client):
        first = needs(client, "test_input_required_result_sampling")
        question = first["inputRequests"]["capital_question"]
        assert question["method"] == "sampling/createMessage" and question["params"]["maxTokens"] > 0
        last = again(client, "test_input_required_result_sampling", first, {"capital_question": modelled("Paris")})
        assert last["resultType"] == "complete" and "Paris" in text_of(last)

    def test_basic_list_roots(self, client):
        first = needs(client, "test_input_required_result_list_roots")
        assert first["inputRequests"]["client_roots"]["method"] == "roots/list"
        last = again(client, "test_input_required_result_list_roots", first, {"client_roots": ROOTS})
        assert last["resultType"] == "complete" and "file:///home/ada" in text_of(last)

    def test_request_state(self, client):
        first = needs(client, "test_input_required_result_request_state")
        assert isinstance(first["requestState"], str) and first["requestState"]
        answers = {"confirm": {"action": "accept", "content": {"ok": True}}}
        last = again(client, "test_input_required_result_request_state", first, answers)
        assert "state-ok" in text_of(last)

    def test_multiple_input_requests(self, client):
        first = needs(client, "test_input_required_result_multiple_inputs")
        assert {key: one["method"] for key, one in first["inputRequests"].items()} == {
            "user_name": "elicitation/create",
            "greeting": "sampling/createMessage",
            "client_roots": "roots/list",
        }
        assert first["requestState"]
        answers = {"user_name": accepted("Alice"), "greeting": modelled("Good day"), "client_roots": ROOTS}
        last = again(client, "test_input_required_result_multiple_inputs", first, answers)
        assert last["resultType"] == "complete" and "Alice" in text_of(last) and "Good day" in text_of(last)

    def test_multi_round(self, client):
        name = "test_input_required_result_multi_round"
        first = needs(client, name)
        assert list(first["inputRequests"]) == ["step1"]
        second = again(client, name, first, {"step1": accepted("Alice")})
        assert second["resultType"] == "input_required" and list(second["inputRequests"]) == ["step2"]
        assert second["requestState"] != first["requestState"]
        answers = {"step2": {"action": "accept", "content": {"color": "blue"}}}
        last = again(client, name, second, answers)
        assert last["resultType"] == "complete" and "Alice" in text_of(last) and "blue" in text_of(last)

    def test_missing_input_response(self, client):
        first = needs(client, "test_input_required_result_elicitation")
        second = again(client, "test_input_required_result_elicitation", first, {"wrong_key": accepted()})
        assert second["resultType"] == "input_required" and "user_name" in second["inputRequests"]

    def test_non_tool_request(self, client):
        params = {"name": "test_input_required_result_prompt"}
        first = client.request("prompts/get", params)["result"]
        assert first["resultType"] == "input_required" and "user_context" in first["inputRequests"]
        answers = {"user_context": {"action": "accept", "content": {"context": "tests"}}}
        last = retry(client, "prompts/get", params, first, answers).json()["result"]
        assert last["resultType"] == "complete" and last["messages"]

    def test_a_resource_may_need_input_too(self, client):
        """More than the suite asks."""
        params = {"uri": "test://asking-resource"}
        first = client.request("resources/read", params)["result"]
        assert first["resultType"] == "input_required" and not {"ttlMs", "cacheScope"} & set(first)
        last = retry(client, "resources/read", params, first, {"user_name": accepted("Alice")}).json()["result"]
        assert last["contents"][0]["text"] == "Written for Alice."

    def test_result_type(self, client):
        first = needs(client, "test_input_required_result_elicitation")
        last = again(client, "test_input_required_result_elicitation", first, {"user_name": accepted()})
        assert (first["resultType"], last["resultType"]) == ("input_required", "complete")

    def test_ignore_extra_params(self, client):
        first = needs(client, "test_input_required_result_elicitation")
        answers = {"user_name": accepted("Alice"), "extra": {"action": "accept", "content": {"x": 1}}}
        assert text_of(again(client, "test_input_required_result_elicitation", first, answers)) == "Hello, Alice!"

    @pytest.mark.parametrize("wrong", [12345, None, "text", []], ids=str)
    def test_validate_input(self, client, wrong):
        first = needs(client, "test_input_required_result_elicitation")
        params = tool("test_input_required_result_elicitation")
        message = retry(client, "tools/call", params, first, {"user_name": wrong}).json()
        assert "error" in message or message["result"]["resultType"] == "input_required"
        first = needs(client, "test_input_required_result_elicitation")
        message = retry(client, "tools/call", params, first, wrong).json()
        assert "error" in message or message["result"]["resultType"] == "input_required"

    def test_unsupported_methods(self, client):
        for method in ("tools/list", "prompts/list", "resources/list"):
            assert client.request(method)["result"]["resultType"] == "complete"

    def test_tampered_state(self, client):
        first = needs(client, "test_input_required_result_tampered_state")
        state = first["requestState"]
        answers = {"confirm": {"action": "accept", "content": {"ok": True}}}
        for wrong in (state + "x", state[:-3] + ("AAA" if state[-3:] != "AAA" else "BBB"), "tampered", ""):
            params = tool("test_input_required_result_tampered_state")
            message = retry(client, "tools/call", params, {"requestState": wrong}, answers).json()
            assert message["error"]["code"] == -32602
        assert "true" in text_of(again(client, "test_input_required_result_tampered_state", first, answers)).lower()

    @pytest.mark.parametrize(
        "declared, kinds",
        [
            ({"sampling": {}}, {"sampling/createMessage"}),
            ({"elicitation": {}}, {"elicitation/create"}),
            ({"sampling": {}, "elicitation": {}}, {"sampling/createMessage", "elicitation/create"}),
        ],
        ids=["sampling", "elicitation", "both"],
    )
    def test_capability_check(self, suite, declared, kinds):
        first = needs(suite.modern(capabilities=declared), "test_input_required_result_capabilities")
        assert {one["method"] for one in first["inputRequests"].values()} == kinds

    @pytest.mark.parametrize("name, fit", [("defaults", defaults_fit), ("enums", choices_fit)])
    def test_forms_with_defaults_and_choices(self, client, name, fit):
        """In the suite these are scenarios of the legacy revision alone."""
        name = {"defaults": "test_elicitation_sep1034_defaults", "enums": "test_elicitation_sep1330_enums"}[name]
        first = needs(client, name)
        ((key, question),) = first["inputRequests"].items()
        fit(question["params"])
        assert text_of(again(client, name, first, {key: {"action": "accept", "content": {}}}))

    def test_nothing_runs_twice(self, client):
        """More than the suite asks: a question does not make a tool begin again."""
        key = uuid.uuid4().hex
        first = needs(client, "test_counted_elicitation", key=key)
        last = again(client, "test_counted_elicitation", first, {"user_name": accepted("Alice")}, key=key)
        assert text_of(last) == "Hello, Alice! Run 1."


def test_a_call_is_cancelled_by_closing_its_stream(suite):
    """More than the suite asks. The client declares nothing, so that a legacy server takes several calls at once."""
    client, key = suite.modern(capabilities={}), uuid.uuid4().hex

    def counted(name):
        return text_of(client.request("tools/call", tool("read_count", key=name))["result"]) == "1"

    connection, _ = client.begin(client.message("tools/call", tool("wait_for_cancellation", key=key)))
    until(lambda: counted(f"{key}-started"), "the start of the call")
    assert not counted(key)
    connection.close()
    until(lambda: counted(key), "the cancellation at the server")
