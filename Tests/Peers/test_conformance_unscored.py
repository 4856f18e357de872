"""Scenarios of the official suite that it does not score: header fields and the tasks extension (2026-07-28)."""

import base64

import pytest

from peers.conformance import tool
from peers.parking import accepted
from peers.raw import text_of
from peers.waiting import until

TASKS = "io.modelcontextprotocol/tasks"
ABLE = {"elicitation": {}, "extensions": {TASKS: {}}}


@pytest.fixture
def client(suite):
    return suite.modern()


def is_refused(reply):
    assert reply.status == 400, f"{reply.status}: {reply.json()}"
    assert reply.json()["error"]["code"] == -32020


class TestHeaderValidation:
    """http-header-validation"""

    @pytest.mark.parametrize("wrong", ["tools/list", "TOOLS/CALL", "Tools/call", None, ""], ids=str)
    def test_the_method_must_be_the_bodys(self, client, wrong):
        message = client.message("tools/call", tool("test_simple_text"))
        is_refused(client.post(message, {"Mcp-Method": wrong}))

    @pytest.mark.parametrize("wrong", ["another_tool", "TEST_SIMPLE_TEXT", None, ""], ids=str)
    def test_the_name_must_be_the_bodys(self, client, wrong):
        message = client.message("tools/call", tool("test_simple_text"))
        is_refused(client.post(message, {"Mcp-Name": wrong}))

    @pytest.mark.parametrize("method, key, name", [
        ("resources/read", "uri", "test://static-text"), ("prompts/get", "name", "test_simple_prompt"),
    ])  # fmt: skip
    def test_resources_and_prompts_have_names_too(self, client, method, key, name):
        message = client.message(method, {key: name})
        assert client.post(message).status == 200
        for wrong in ("another", None):
            is_refused(client.post(message, {"Mcp-Name": wrong}))

    @pytest.mark.parametrize("spelled", ["mcp-method", "MCP-METHOD", "Mcp-Method", "mCP-mETHOD"])
    def test_names_of_fields_have_no_case(self, client, spelled):
        message = client.message("tools/call", tool("test_simple_text"))
        fields = [(name, value) for name, value in client.fields(message) if name.lower() != "mcp-method"]
        from peers.raw import encoded
        from peers.wire import once

        fields.append((spelled, "tools/call"))
        reply = once(client.gateway.port, "POST", client.path, fields, encoded(message), client.ledger)
        assert reply.status == 200

    def test_space_around_a_value_does_not_count(self, client):
        message = client.message("tools/call", tool("test_simple_text"))
        reply = client.post(message, {"Mcp-Method": "  tools/call \t", "Mcp-Name": " test_simple_text  "})
        assert reply.status == 200

    def test_a_name_may_be_wrapped(self, client):
        message = client.message("tools/call", tool("test_simple_text"))
        wrapped = f"=?base64?{base64.b64encode(b'test_simple_text').decode()}?="
        assert client.post(message, {"Mcp-Name": wrapped}).status == 200


class TestCustomHeaders:
    """http-custom-header-server-validation: an argument that is repeated in a header field"""

    def send(self, client, header, region="eu-west"):
        message = client.message("tools/call", tool("test_x_mcp_header", region=region))
        return client.post(message, {"Mcp-Param-Region": header})

    @pytest.fixture
    def client(self, suite):
        client = suite.modern()
        tools = client.request("tools/list")["result"]["tools"]
        (one,) = [one for one in tools if one["name"] == "test_x_mcp_header"]
        assert one["inputSchema"]["properties"]["region"]["x-mcp-header"] == "Region"
        return client

    def test_the_value_as_it_is(self, client):
        reply = self.send(client, "eu-west")
        assert reply.status == 200 and text_of(reply.json()["result"]) == "Region: eu-west"

    @pytest.mark.parametrize("region", ["käse land", " edges ", "=?base64?", "eu-west"])
    def test_the_value_wrapped(self, client, region):
        wrapped = f"=?base64?{base64.b64encode(region.encode()).decode()}?="
        reply = self.send(client, wrapped, region)
        assert reply.status == 200 and text_of(reply.json()["result"]) == f"Region: {region}"

    @pytest.mark.parametrize(
        "header",
        [
            "=?base64?ZXUtd2VzdA?=",
            "=?base64?ZXUt*2VzdA==?=",
            "=?base64?!!!?=",
            "ZXUtd2VzdA==",
            "=?base64?ZXUtd2VzdA==",
            "ZXUtd2VzdA==?=",
            "eu-east",
            "EU-WEST",
            None,
        ],
        ids=["padding", "alphabet", "nonsense", "bare", "no suffix", "no prefix", "another", "case", "omitted"],
    )
    def test_what_does_not_match_is_refused(self, client, header):
        is_refused(self.send(client, header))


@pytest.mark.parametrize("suite", ["over-legacy"], indirect=True)
def test_a_child_of_the_legacy_era_offers_no_tasks(suite):
    client = suite.modern(capabilities=ABLE)
    assert TASKS not in client.request("server/discover")["result"]["capabilities"].get("extensions", {})
    result = client.request("tools/call", tool("slow_compute", seconds=0.1))["result"]
    assert result["resultType"] == "complete" and "Computed" in text_of(result)
    reply = client.send("tasks/get", {"taskId": "x"}, {"Mcp-Name": "x"})
    assert reply.json()["error"]["code"] in (-32601, -32602)


@pytest.mark.parametrize("suite", ["over-modern"], indirect=True)
class TestTasksOfALegacyClient:
    """More than the suite asks: who knows no tasks gets what becomes of them."""

    @pytest.fixture
    def client(self, suite):
        return suite.legacy()

    def test_the_result_of_a_task(self, client):
        result = client.request("tools/call", tool("slow_compute", seconds=0.1))["result"]
        assert "Computed" in text_of(result) and "resultType" not in result
        assert client.request("tools/call", tool("failing_job"))["result"]["isError"] is True
        assert isinstance(client.request("tools/call", tool("protocol_error_job"))["error"]["code"], int)

    @pytest.mark.parametrize(
        "name, answers, words",
        [
            ("confirm_delete", [{"confirm": True}], "Deleted"),
            ("multi_input", [{"value": "one"}, {"value": "two"}], "Both"),
            ("test_tool_with_task", [{"name": "Alice"}], "Alice"),
        ],
    )
    def test_the_questions_of_a_task(self, client, name, answers, words):
        answers = [{"action": "accept", "content": content} for content in answers]
        asked, last = client.converse(name, None, answers)
        assert len(asked) == len(answers) and words in text_of(last["result"])


@pytest.mark.parametrize("suite", ["hosted", "over-modern"], indirect=True)
class TestTasks:
    """tasks-*"""

    @pytest.fixture
    def client(self, suite):
        return suite.modern(capabilities=ABLE)

    def about(self, client, method, task, **more):
        return client.send(method, {"taskId": task, **more}, {"Mcp-Name": task})

    def create(self, client, name, **arguments):
        task = client.request("tools/call", tool(name, **arguments))["result"]
        assert task["resultType"] == "task", task
        return task

    def state(self, client, task):
        message = self.about(client, "tasks/get", task).json()
        assert "result" in message, message
        assert message["result"]["resultType"] == "complete" and message["result"]["taskId"] == task
        return message["result"]

    def ended(self, client, task, timeout=10):
        def look():
            state = self.state(client, task)
            return state if state["status"] in ("completed", "failed", "cancelled") else None

        return until(look, "the end of the task", timeout)

    def test_the_extension_is_advertised(self, client):
        assert TASKS in client.request("server/discover")["result"]["capabilities"]["extensions"]

    def test_a_tool_that_is_done_at_once_is_no_task(self, client):
        result = client.request("tools/call", tool("greet", name="Ada"))["result"]
        assert result["resultType"] == "complete" and text_of(result) == "Hello, Ada!"

    def test_a_task_has_its_shape_and_ends_with_the_result(self, client):
        task = self.create(client, "slow_compute", seconds=0.1)
        assert task["status"] == "working" and isinstance(task["taskId"], str) and len(task["taskId"]) >= 16
        assert task["createdAt"] and task["lastUpdatedAt"] and "task" not in task
        assert task["ttlMs"] is None or isinstance(task["ttlMs"], int)
        assert isinstance(task.get("pollIntervalMs", 1), int)
        assert "requestState" not in task
        state = self.ended(client, task["taskId"])
        assert state["status"] == "completed" and "Computed" in text_of(state["result"])
        assert self.state(client, task["taskId"])["status"] == "completed", "it can be asked for again"

    def test_a_tool_that_failed_completed(self, client):
        state = self.ended(client, self.create(client, "failing_job")["taskId"])
        assert state["status"] == "completed" and state["result"]["isError"] is True

    def test_an_error_of_the_protocol_failed(self, client):
        state = self.ended(client, self.create(client, "protocol_error_job")["taskId"])
        assert state["status"] == "failed" and isinstance(state["error"]["code"], int) and state["error"]["message"]

    def test_a_task_is_not_for_those_who_did_not_declare_the_extension(self, suite, client):
        plain = suite.modern(capabilities={"elicitation": {}})
        error = plain.request("tools/call", tool("failing_job"))["error"]
        assert error["code"] == -32021 and TASKS in error["data"]["requiredCapabilities"]["extensions"]
        assert plain.request("tools/call", tool("slow_compute", seconds=0))["result"]["resultType"] == "complete"
        task = self.create(client, "slow_compute", seconds=30)["taskId"]
        for method in ("tasks/get", "tasks/cancel", "tasks/update"):
            message = self.about(plain, method, task, inputResponses={}).json()
            assert message["error"]["code"] == -32021, method
        self.about(client, "tasks/cancel", task)

    def test_a_task_can_be_cancelled_and_again(self, client):
        task = self.create(client, "slow_compute", seconds=60)["taskId"]
        for _ in range(2):
            ack = self.about(client, "tasks/cancel", task).json()["result"]
            assert ack["resultType"] == "complete" and not set(ack) & {"taskId", "status"}
        assert self.ended(client, task)["status"] == "cancelled"

    def test_a_question_of_a_task_is_answered_by_an_update(self, client):
        task = self.create(client, "confirm_delete", filename="a.txt")["taskId"]

        def asking():
            state = self.state(client, task)
            return state["inputRequests"] if state["status"] == "input_required" else None

        (key,) = until(asking, "the question")
        answer = {"action": "accept", "content": {"confirm": True}}
        ack = self.about(client, "tasks/update", task, inputResponses={key: answer, "unknown": answer}).json()
        assert ack["result"]["resultType"] == "complete"
        state = self.ended(client, task)
        assert "requestState" not in state and "Deleted a.txt" in text_of(state["result"])
        again = self.about(client, "tasks/update", task, inputResponses={key: answer}).json()
        assert "result" in again, "what was answered is ignored"

    def test_questions_may_be_answered_one_by_one(self, client):
        task = self.create(client, "multi_input")["taskId"]

        def open_questions(count):
            state = self.state(client, task)
            found = state.get("inputRequests", {}) if state["status"] == "input_required" else {}
            return found if len(found) == count else None

        keys = sorted(until(lambda: open_questions(2), "two questions"))
        for left, key in ((1, keys[0]), (0, keys[1])):
            answer = {"action": "accept", "content": {"value": key}}
            assert "result" in self.about(client, "tasks/update", task, inputResponses={key: answer}).json()
            if left:
                assert list(until(lambda: open_questions(1), "the other question")) == [keys[1]]
        assert self.ended(client, task)["status"] == "completed"

    def test_rounds_come_before_the_task(self, client):
        params = tool("test_tool_with_task")
        first = client.request("tools/call", params)["result"]
        assert first["resultType"] == "input_required" and "user_name" in first["inputRequests"]
        params |= {"inputResponses": {"user_name": accepted("Alice")}, "requestState": first["requestState"]}
        task = client.request("tools/call", params)["result"]
        assert task["resultType"] == "task" and "requestState" not in task
        assert "Alice" in text_of(self.ended(client, task["taskId"])["result"])

    def test_methods_of_the_core_tasks_do_not_exist(self, client):
        task = self.create(client, "slow_compute", seconds=0.05)["taskId"]
        for method, params in (("tasks/result", {"taskId": task}), ("tasks/list", {})):
            reply = client.send(method, params, {"Mcp-Name": task} if params else None)
            assert reply.json()["error"]["code"] == -32601 and reply.status == 404

    def test_the_parameter_of_the_core_tasks_means_nothing(self, client):
        params = {**tool("greet", name="Ada"), "task": {"ttl": 1000}}
        assert client.request("tools/call", params)["result"]["resultType"] == "complete"

    @pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
    def test_a_task_that_does_not_exist(self, client, method):
        message = self.about(client, method, "no-such-task", inputResponses={}).json()
        assert message["error"]["code"] == -32602

    def test_the_field_that_names_the_task_must_match(self, client):
        task = self.create(client, "slow_compute", seconds=0.05)["taskId"]
        for wrong in ("another", None):
            is_refused(client.send("tasks/get", {"taskId": task}, {"Mcp-Name": wrong}))

    def test_a_listener_is_told_how_its_task_goes(self, client):
        task = self.create(client, "slow_compute", seconds=1)["taskId"]
        stream = client.listen(id="tasks", taskIds=[task])
        acknowledged = stream.message()
        assert acknowledged["params"]["notifications"].get("taskIds") == [task]
        news = stream.message()
        assert news["method"] == "notifications/tasks" and news["params"]["taskId"] == task
        stream.connection.close()
