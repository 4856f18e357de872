"""A server written by hand with the tools, prompts and resources that it is told to have, for federations of several.

    shelf.py [--era legacy|modern|dual] [--tools a,b] [--prompts p] [--uris u:1,u:2] [--templates t:{x}] [--pages N]

Every tool answers which server it belongs to and by which name it was called. A tool `grow` adds the tool named in its
`text` and says that the list has changed.
"""

import argparse
import os

from journal import note
from lines import Wire
from plain import LEGACY, MODERN, Plain

WHO = os.environ.get("GATEHOUSE_TEST_SERVER", "shelf")
NOT_FOUND = {True: -32602, False: -32002}


class Shelf(Plain):
    def __init__(self, options, wire):
        super().__init__(options.era, wire)
        self.options = options
        self.tools = options.tools
        self.capabilities = {"completions": {}, "logging": {}}
        if self.tools:
            self.capabilities["tools"] = {"listChanged": True}
        if options.prompts:
            self.capabilities["prompts"] = {}
        if options.uris or options.templates:
            self.capabilities["resources"] = {"subscribe": True}

    def on_initialize(self, message, params):
        wanted = params.get("protocolVersion")
        self.revision = wanted if wanted in self.options.revisions else self.options.revisions[-1]
        info = {"name": WHO, "version": "1"}
        greeting = {"protocolVersion": self.revision, "capabilities": self.capabilities, "serverInfo": info}
        self.answer(message, {**greeting, "instructions": f"How to use {WHO}."})

    def on_server_discover(self, message, params):
        result = {"supportedVersions": [MODERN], "capabilities": self.capabilities}
        self.answer(message, {**result, "instructions": f"How to use {WHO}."}, cacheable=True)

    def page(self, message, params, member, items):
        """A part of a list, after the cursor."""
        size = self.options.pages or len(items) or 1
        start = int(params.get("cursor", "0").removeprefix("at "))
        result = {member: items[start : start + size]}
        if start + size < len(items):
            result["nextCursor"] = f"at {start + size}"
        self.answer(message, result, cacheable=True)

    def on_tools_list(self, message, params):
        tools = [{"name": name, "title": f"{name} of {WHO}", "inputSchema": {"type": "object"}} for name in self.tools]
        self.page(message, params, "tools", tools)

    def on_prompts_list(self, message, params):
        self.page(message, params, "prompts", [{"name": name} for name in self.options.prompts])

    def on_resources_list(self, message, params):
        resources = [{"uri": uri, "name": f"{uri} of {WHO}"} for uri in self.options.uris]
        self.page(message, params, "resources", resources)

    def on_resources_templates_list(self, message, params):
        templates = [{"uriTemplate": text, "name": WHO} for text in self.options.templates]
        self.page(message, params, "resourceTemplates", templates)

    def on_prompts_get(self, message, params):
        if params["name"] not in self.options.prompts:
            return self.error(message, -32602, f"Unknown prompt: {params['name']}")
        text = {"type": "text", "text": f"{WHO} {params['name']}"}
        self.answer(message, {"messages": [{"role": "user", "content": text}]})

    def on_resources_read(self, message, params):
        uri = params["uri"]
        if uri not in self.options.uris and not uri.startswith(f"{WHO}:"):
            code = NOT_FOUND[self.is_modern(message)]
            return self.error(message, code, f"{WHO} has no {uri}", {"uri": uri})
        self.answer(message, {"contents": [{"uri": uri, "text": f"{WHO} {uri}"}]}, cacheable=True)

    def on_completion_complete(self, message, params):
        reference = params["ref"]
        value = f"{WHO} {reference.get('name') or reference.get('uri')}"
        self.answer(message, {"completion": {"values": [value], "hasMore": False}})

    def on_tools_call(self, message, params):
        name = params["name"]
        if name not in self.tools:
            return self.error(message, -32602, f"Unknown tool: {name}")
        if name == "grow":
            self.tools.append(params["arguments"]["text"])
            note("grown", tools=self.tools)
            return self.tool_change(message, params, {})
        if name in ("rounds", "update", "log", "progress", "ask", "hold"):
            return super().on_tools_call(message, params)
        self.say(message, f"{WHO} {name}")


def words(text):
    return [word for word in text.split(",") if word]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--era", choices=["legacy", "modern", "dual"], default="dual")
    parser.add_argument("--revisions", type=words, default=LEGACY)
    for name in ("tools", "prompts", "uris", "templates"):
        parser.add_argument(f"--{name}", type=words, default=[])
    parser.add_argument("--pages", type=int, default=0)
    Shelf(parser.parse_args(), Wire()).run()


if __name__ == "__main__":
    main()
