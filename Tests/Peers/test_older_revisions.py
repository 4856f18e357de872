"""A modern server with every field there is, before clients of the older revisions: what they do not know is absent.

Where a person or a model would miss it, text takes its place. The ledger judges each message by the schema as well.
"""

import json

import pytest

from peers.gateway import bad
from peers.parking import accepted
from peers.raw import LegacySession, rpc
from peers.schema import LEGACY

SERVERS = {"rich": bad("rich", "--era", "modern", era="modern")}
ALL = {"elicitation": {}, "sampling": {}, "roots": {}}
OLDEST, MARCH, JUNE, NOVEMBER = LEGACY


@pytest.fixture(params=LEGACY)
def session(request, gateway, ledger):
    session = LegacySession(gateway, ledger, "rich", request.param, ALL).open()
    yield session
    session.delete()


def keys_since(session, item, **since):
    """Assert of each key that it is there from its revision on, and only then."""
    for key, revision in since.items():
        assert (key in item) == (session.revision >= revision), f"{key} for {session.revision}: {sorted(item)}"


def result(session, method, params=None):
    answer = session.request(method, params)
    assert "result" in answer, answer
    assert not {"resultType", "ttlMs", "cacheScope"} & set(answer["result"])
    assert "io.modelcontextprotocol/serverInfo" not in answer["result"].get("_meta", {})
    return answer["result"]


def test_the_handshake_has_what_the_revision_knows_of_the_server(session):
    opened = session.opened
    assert opened["protocolVersion"] == session.revision and opened["instructions"] == "Read me."
    info = opened["serverInfo"]
    assert (info["name"], info["version"]) == ("rich", "2.0")
    keys_since(session, info, title=JUNE, icons=NOVEMBER, description=NOVEMBER, websiteUrl=NOVEMBER)
    capabilities = opened["capabilities"]
    keys_since(session, capabilities, completions=MARCH, tools=OLDEST, logging=OLDEST)
    assert capabilities["resources"] == {"subscribe": True, "listChanged": True}
    assert not {"experimental", "extensions", "tasks"} & set(capabilities)


def test_tools_have_what_the_revision_knows(session):
    tools = {tool["name"]: tool for tool in result(session, "tools/list")["tools"]}
    one = tools["object"]
    keys_since(session, one, title=JUNE, icons=NOVEMBER, annotations=MARCH, outputSchema=JUNE, _meta=JUNE)
    assert one["inputSchema"]["properties"]["text"]["examples"] == ["x"], "a schema is kept as it is"
    assert "outputSchema" not in tools["array"], "a root that is no object is not for these revisions"


def test_resources_and_templates_have_what_the_revision_knows(session):
    resource = result(session, "resources/list")["resources"][0]
    template = result(session, "resources/templates/list")["resourceTemplates"][0]
    for item in (resource, template):
        keys_since(session, item, title=JUNE, icons=NOVEMBER, _meta=JUNE, annotations=OLDEST)
        keys_since(session, item["annotations"], lastModified=JUNE, audience=OLDEST)
    contents = result(session, "resources/read", {"uri": "test://notes"})["contents"][0]
    keys_since(session, contents, _meta=JUNE, text=OLDEST)


def test_prompts_have_what_the_revision_knows(session):
    prompt = result(session, "prompts/list")["prompts"][0]
    keys_since(session, prompt, title=JUNE, icons=NOVEMBER, _meta=JUNE, description=OLDEST)
    keys_since(session, prompt["arguments"][0], title=JUNE, required=OLDEST)


def blocks_fit(session, blocks):
    text, audio, link, embedded = blocks
    keys_since(session, text, _meta=JUNE, annotations=OLDEST)
    keys_since(session, text["annotations"], lastModified=JUNE, priority=OLDEST)
    assert audio["type"] == ("audio" if session.revision >= MARCH else "text")
    if session.revision >= JUNE:
        assert link["type"] == "resource_link" and link["uri"] == "test://notes"
        keys_since(session, link, icons=NOVEMBER, title=JUNE)
    else:
        assert link["type"] == "text" and "test://notes" in link["text"], "a person could still follow it"
    keys_since(session, embedded["resource"], _meta=JUNE, text=OLDEST)


def test_blocks_of_content_that_the_revision_lacks_become_text(session):
    blocks_fit(session, session.call("content")["content"])
    messages = result(session, "prompts/get", {"name": "poem", "arguments": {"form": "x"}})["messages"]
    blocks_fit(session, [message["content"] for message in messages])


def test_structured_content_is_there_or_its_text_is(session):
    one = session.call("object")
    keys_since(session, one, structuredContent=JUNE)
    assert json.loads(one["content"][0]["text"]) == {"sum": 3} and len(one["content"]) == 1, "not said twice"
    many = session.call("array")
    assert "structuredContent" not in many and json.loads(many["content"][0]["text"]) == [1, 2, 3]


def test_progress_has_a_message_since_it_was_invented(session):
    session.call("steps", meta={"progressToken": 5})
    (notice,) = session.notices
    keys_since(session, notice["params"], message=MARCH, progress=OLDEST)


def test_a_batch_is_answered_where_the_revision_has_batches(session):
    batch = [
        rpc("tools/call", session.tool("object"), 1),
        rpc("ping", None, 2),
        rpc("tools/call", session.tool("x"), 3),
    ]
    reply = session.post(batch)
    if session.revision != MARCH:
        assert reply.status == 400
        return
    messages = reply.messages() if reply.is_stream else reply.json()
    answers = {m["id"]: m for part in messages for m in (part if isinstance(part, list) else [part])}
    assert set(answers) == {1, 2, 3} and answers[2]["result"] == {} and answers[3]["error"]["code"] == -32602
    assert answers[1]["result"]["content"][0]["text"] == '{"sum": 3}'


def test_a_form_is_in_the_words_of_the_revision(session):
    connection, exchange = session.begin(rpc("tools/call", session.tool("elicit"), 70))
    reply = connection.read(exchange)
    first = reply.message() if reply.is_stream else reply.json()
    if session.revision < JUNE:
        assert first["error"]["code"] == -32021, "there were no forms yet"
        assert "elicitation" in first["error"]["data"]["requiredCapabilities"]
        return
    assert first["method"] == "elicitation/create"
    keys_since(session, first["params"], message=JUNE, requestedSchema=JUNE)
    fields = first["params"]["requestedSchema"]["properties"]
    keys_since(session, fields, name=JUNE, age=JUNE, sure=JUNE, colour=JUNE, several=NOVEMBER)
    keys_since(session, fields["name"], default=NOVEMBER, title=JUNE)
    keys_since(session, fields["sure"], default=JUNE)
    if session.revision == JUNE:
        assert fields["colour"]["enum"] == ["r", "g"] and fields["colour"]["enumNames"] == ["Red", "Green"]
        assert "mode" not in first["params"], "there was one kind alone"
    else:
        assert fields["colour"]["oneOf"][0] == {"const": "r", "title": "Red"}
    assert session.post({"jsonrpc": "2.0", "id": first["id"], "result": accepted()}).status == 202
    assert reply.message()["result"]["_meta"]["test/inputs"] == {"name": accepted()}
