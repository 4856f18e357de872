"""The command that the conformance suite runs as its client: `gatehouse inspect`, told by the scenario what to do.

    conformance client --command "python3 Tests/Peers/suite_client.py" --suite core

The suite gives the URL of its server as the last argument, the scenario's name in MCP_CONFORMANCE_SCENARIO, and, for
some of them, more in MCP_CONFORMANCE_CONTEXT. It needs nothing but Python itself.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("GATEHOUSE_BIN", str(ROOT / ".build" / "debug" / "gatehouse"))
# One answer for each kind of question, whatever its key: an empty form takes the defaults.
ANSWERS = ["--answer", "elicitation={}", "--answer", "sampling=Fine", "--root", str(ROOT)]


def inspect(url, *words):
    """Runs inspect: the status and the values that it printed."""
    done = subprocess.run(
        [BINARY, "inspect", url, *words, "--json", *ANSWERS], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def example(schema):
    """A value that a schema takes, as far as its types tell."""
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    examples = {"string": "text", "integer": 5, "number": 5, "boolean": True, "array": [], "object": {}, "null": None}
    return examples[kind if isinstance(kind, str) else kind[0]]


def calls(tools):
    """What to call: what the scenario says, else every tool once, with what it requires."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    if "toolCalls" in context:
        return [(call["name"], call.get("arguments", {})) for call in context["toolCalls"]]
    found = []
    for tool in tools:
        schema = tool.get("inputSchema", {})
        properties = schema.get("properties", {})
        found.append((tool["name"], {name: example(properties.get(name, {})) for name in schema.get("required", [])}))
    return found


def main():
    url, scenario = sys.argv[-1], os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
    status, values = inspect(url, "tools")
    if status or scenario == "initialize":
        return status
    if scenario.startswith("json-schema"):
        # What is read is shown: the suite looks at what the client made of it.
        print(json.dumps(values[0]))
    lines = [f"call {json.dumps(name)} {json.dumps(arguments)}" for name, arguments in calls(values[0]["tools"])]
    # All calls in one session, as a user would make them.
    done = subprocess.run(
        [BINARY, "inspect", url, "shell", "--json", *ANSWERS], input="\n".join(lines), stdout=subprocess.PIPE, text=True
    )
    return 0 if done.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
