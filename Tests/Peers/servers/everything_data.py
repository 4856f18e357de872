"""Resources, prompts and completion of the everything server; lists come in pages."""

import base64

from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    INVALID_PARAMS,
    BlobResourceContents,
    CompleteResult,
    Completion,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    GetPromptResult,
    ImageContent,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
)
from world import is_modern, world

PAGE = 10
PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c636060606000000005000157a0d7fa0000000049454e44ae426082"
    )
).decode()
WORDS = ["paris", "park", "parrot", "party", "london"]


def page(items, params, size=PAGE):
    """One page and the next cursor; a cursor that we did not give is an error."""
    cursor = params.cursor if params else None
    start = 0
    if cursor is not None:
        head, _, number = cursor.partition(":")
        if head != "page" or not number.isdigit() or int(number) >= len(items):
            raise MCPError(INVALID_PARAMS, f"unknown cursor {cursor!r}")
        start = int(number)
    end = start + size
    return items[start:end], f"page:{end}" if end < len(items) else None


def resources():
    numbered = [Resource(uri=f"test://item/{n}", name=f"item-{n}", mime_type="text/plain") for n in range(25)]
    fixed = [
        Resource(uri="test://text", name="text", description="Some text", mime_type="text/plain", size=14),
        Resource(uri="test://binary", name="binary", description="One pixel", mime_type="image/png"),
        Resource(uri="test://watched", name="watched", description="Changes", mime_type="text/plain"),
        Resource(uri="test://käse/ü", name="umlaut", description="A name beyond ASCII", mime_type="text/plain"),
    ]
    return fixed + numbered


async def list_resources(ctx, params):
    found, cursor = page(resources(), params)
    return ListResourcesResult(resources=found, next_cursor=cursor)


async def list_templates(ctx, params):
    all_of_them = [
        ResourceTemplate(uri_template=f"test://template{n}/{{id}}", name=f"template-{n}", mime_type="text/plain")
        for n in range(12)
    ]
    found, cursor = page(all_of_them, params)
    return ListResourceTemplatesResult(resource_templates=found, next_cursor=cursor)


async def read_resource(ctx, params):
    uri = str(params.uri)
    if uri == "test://binary":
        content = BlobResourceContents(uri=uri, blob=PIXEL, mime_type="image/png")
    elif uri == "test://asks":
        return await ask_for_name(ctx, params, lambda name: ReadResourceResult(contents=[text_of(uri, f"for {name}")]))
    elif any(uri == known.uri for known in resources()) or uri.startswith("test://template"):
        content = text_of(uri, f"contents of {uri}")
    else:
        code = INVALID_PARAMS if is_modern(ctx) else -32002
        raise MCPError(code, "Resource not found", {"uri": uri})
    return ReadResourceResult(contents=[content])


def text_of(uri, text):
    return TextResourceContents(uri=uri, text=text, mime_type="text/plain")


async def ask_for_name(ctx, params, finish):
    """Asks for a name in a read or a prompt: a request of the legacy era, a round of the modern one."""
    answers = getattr(params, "input_responses", None) or {}
    if "name" in answers:
        return finish(answers["name"].content["name"])
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    request = ElicitRequest(params=ElicitRequestFormParams(message="Who?", requested_schema=schema))
    if not is_modern(ctx):
        related = ServerMessageMetadata(related_request_id=ctx.request_id)
        answer = await ctx.session.send_request(request, ElicitResult, metadata=related)
        return finish(answer.content["name"])
    return InputRequiredResult(input_requests={"name": request}, request_state="for-a-name")


def prompts():
    fixed = [
        Prompt(name="plain", description="No arguments"),
        Prompt(
            name="greet",
            title="Greeting",
            description="Greets someone",
            arguments=[
                PromptArgument(name="name", description="Who", required=True),
                PromptArgument(name="city", description="Where", required=False),
            ],
        ),
        Prompt(name="picture", description="With an image and a resource"),
        Prompt(name="asks", description="Asks for a name first"),
        Prompt(name="last", description="Stands on the last page"),
    ]
    return fixed + [Prompt(name=name) for name in world.extra_prompts]


async def list_prompts(ctx, params):
    found, cursor = page(prompts(), params, size=2)
    return ListPromptsResult(prompts=found, next_cursor=cursor)


async def get_prompt(ctx, params):
    arguments = params.arguments or {}
    match params.name:
        case "plain" | "last":
            return GetPromptResult(messages=[said(f"This is {params.name}.")])
        case "greet":
            if "name" not in arguments:
                raise MCPError(INVALID_PARAMS, "Missing argument: name")
            text = f"Greet {arguments['name']} in {arguments.get('city', 'nowhere')}."
            return GetPromptResult(description="Greets someone", messages=[said(text)])
        case "picture":
            resource = EmbeddedResource(resource=text_of("test://text", "embedded text"))
            return GetPromptResult(
                messages=[
                    PromptMessage(role="user", content=ImageContent(data=PIXEL, mime_type="image/png")),
                    PromptMessage(role="user", content=resource),
                    PromptMessage(role="assistant", content=TextContent(text="I see.")),
                ]
            )
        case "asks":
            return await ask_for_name(ctx, params, lambda name: GetPromptResult(messages=[said(f"Hello {name}.")]))
    raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.name}")


def said(text):
    return PromptMessage(role="user", content=TextContent(text=text))


async def complete(ctx, params):
    kind = params.ref.type
    context = params.context.arguments if params.context and params.context.arguments else {}
    values = [word for word in WORDS if word.startswith(params.argument.value)]
    if kind == "ref/resource":
        values = [f"id-{value}" for value in values]
    values += [f"in-{context['country']}"] if "country" in context else []
    return CompleteResult(completion=Completion(values=values, total=len(values), has_more=False))
