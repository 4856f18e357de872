"""A server of the modern era whose descriptions and results have every field that this era knows."""

ICON = {"src": "data:image/png;base64,iVBORw0KGgo=", "mimeType": "image/png", "sizes": ["48x48"], "theme": "dark"}
SHOWN = {"title": "A title", "icons": [ICON], "_meta": {"example.com/kept": 1}}
TIMED = {"audience": ["user"], "priority": 0.5, "lastModified": "2026-07-28T00:00:00Z"}
INFO = {
    "name": "rich",
    "version": "2.0",
    "title": "Rich",
    "icons": [ICON],
    "description": "Has it all",
    "websiteUrl": "https://example.com",
}
CAPABILITIES = {
    "tools": {"listChanged": True},
    "resources": {"subscribe": True, "listChanged": True},
    "prompts": {"listChanged": True},
    "completions": {},
    "logging": {},
    "experimental": {"example.com/odd": {}},
    "extensions": {"example.com/other": {}},
}
OBJECT = {"type": "object", "properties": {"text": {"type": "string", "title": "Text", "examples": ["x"]}}}
ARRAY = {"type": "array", "items": {"type": "integer"}}
TOOLS = [
    {
        "name": "object",
        "description": "Structured",
        "inputSchema": {"$schema": "https://json-schema.org/draft/2020-12/schema", **OBJECT},
        "outputSchema": {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]},
        "annotations": {"readOnlyHint": True, "idempotentHint": True},
        **SHOWN,
    },
    {"name": "array", "inputSchema": OBJECT, "outputSchema": ARRAY},
    {"name": "content", "inputSchema": OBJECT},
    {"name": "elicit", "inputSchema": OBJECT},
    {"name": "steps", "inputSchema": OBJECT},
]
RESOURCE = {"name": "notes", "description": "Some", "mimeType": "text/plain", "annotations": TIMED, **SHOWN}
PROMPT = {
    "name": "poem",
    "description": "Writes",
    "arguments": [{"name": "form", "title": "The form", "description": "Which", "required": True}],
    **SHOWN,
}
BLOCKS = [
    {"type": "text", "text": "words", "annotations": TIMED, "_meta": {"example.com/kept": 1}},
    {"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"},
    {"type": "resource_link", "uri": "test://notes", "name": "notes", "title": "Notes", "icons": [ICON]},
    {"type": "resource", "resource": {"uri": "test://notes", "text": "embedded", "_meta": {"example.com/kept": 1}}},
]
FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Name", "default": "Ada"},
        "age": {"type": "integer", "minimum": 1, "default": 36},
        "sure": {"type": "boolean", "default": True},
        "colour": {"type": "string", "oneOf": [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]},
        "several": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
    },
    "required": ["name"],
}


def call(server, message, params):
    match params.get("name"):
        case "object":
            text = {"type": "text", "text": '{"sum": 3}'}
            server.answer(message, {"content": [text], "structuredContent": {"sum": 3}})
        case "array":
            server.answer(message, {"content": [], "structuredContent": [1, 2, 3]})
        case "content":
            server.answer(message, {"content": BLOCKS})
        case "steps":
            token = server.token(message)
            server.notify("notifications/progress", {"progressToken": token, "progress": 1, "message": "half"})
            server.say(message, "done")
        case "elicit" if "inputResponses" not in params:
            asked = {"mode": "form", "message": "Who?", "requestedSchema": FORM}
            asked = {"name": {"method": "elicitation/create", "params": asked}}
            server.answer(message, {"resultType": "input_required", "inputRequests": asked, "requestState": "s"})
        case "elicit":
            server.say(message, "done", _meta={"test/inputs": params["inputResponses"]})
        case name:
            server.error(message, -32602, f"Unknown tool: {name}")


def rich(server):
    """Answers with every field that the modern era knows."""
    cached = {"cacheable": True}
    found = {"supportedVersions": ["2026-07-28"], "capabilities": CAPABILITIES, "instructions": "Read me."}
    found["_meta"] = {"io.modelcontextprotocol/serverInfo": INFO}
    template = {**RESOURCE, "uriTemplate": "test://{name}"}
    poem = {"description": "A poem", "messages": [{"role": "user", "content": block} for block in BLOCKS]}
    contents = [{"uri": "test://notes", "text": "some", "_meta": {"example.com/kept": 1}}]
    server.on_server_discover = lambda m, p: server.answer(m, found, **cached)
    server.on_tools_list = lambda m, p: server.answer(m, {"tools": TOOLS}, **cached)
    server.on_tools_call = lambda m, p: call(server, m, p)
    server.on_resources_list = lambda m, p: server.answer(
        m, {"resources": [{**RESOURCE, "uri": "test://notes", "size": 4}]}, **cached
    )
    server.on_resources_templates_list = lambda m, p: server.answer(m, {"resourceTemplates": [template]}, **cached)
    server.on_resources_read = lambda m, p: server.answer(m, {"contents": contents}, **cached)
    server.on_prompts_list = lambda m, p: server.answer(m, {"prompts": [PROMPT]}, **cached)
    server.on_prompts_get = lambda m, p: server.answer(m, poem)
    server.run()
