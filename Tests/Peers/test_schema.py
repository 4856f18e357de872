# Gatehouse. SPDX-License-Identifier: MIT
"""The published JSON Schema, judged by a foreign validator."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schema" / "gatehouse.schema.json").read_text("utf-8"))
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))


def read(text: str):
    """Reads JSON with comments and trailing commas, which is what the examples use of JSON5."""
    plain = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda found: found[1] or "", text)
    return json.loads(re.sub(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', lambda found: found[1] or "", plain))


def mistakes(value) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(value)]


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_there_are_examples():
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_valid(path):
    assert mistakes(read(path.read_text("utf-8"))) == []


def server(**keys):
    return {"mcpServers": {"git": {"command": "git-server", **keys}}}


def gateway(**keys):
    return {**server(), "gateway": keys}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"mcpServers": {"a b": {"command": "x"}}},
        {"mcpServers": {"sse": {"command": "x"}}},
        {"mcpServers": {"git": {}}},
        server(comand="x"),
        server(args="x"),
        server(env={"PORT": 1}),
        server(timeout_seconds=0),
        server(timeout_seconds="30"),
        server(max_restarts=11),
        server(max_restarts=1.5),
        server(isolation="user"),
        server(envFile=".env"),
        server(warm=-1),
        server(warm="2"),
        server(sandbox="bwrap"),
        server(auth={"method": "azure_obo"}),
        server(auth={}),
        server(limits={"sessions": 0}),
        gateway(port=65536),
        gateway(hots=[]),
        gateway(tls={"certificate": "x"}),
        gateway(authentication="basic"),
        gateway(limits={"body": 1}),
        gateway(timeouts={"heartbeat": -1}),
        gateway(log={"levels": {"cals": "debug"}}),
    ],
    ids=json.dumps,
)
def test_a_mistake_is_found(value):
    assert mistakes(value) != []


@pytest.mark.parametrize(
    "value",
    [
        server(),
        server(timeout_seconds=0.5 + 1),
        server(warm=2),
        gateway(port="${PORT}"),
        gateway(timeouts={"heartbeat": 0}),
        gateway(tls=None),
        gateway(log={"levels": {"calls": "debug", "federation": "info"}}),
    ],
    ids=json.dumps,
)
def test_what_is_right_passes(value):
    assert mistakes(value) == []
