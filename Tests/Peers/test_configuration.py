"""Configuration files: what is wrong is told with its place, and the exit status says which kind of wrong it is."""

import json
import re

import pytest

from peers.gateway import check, plain, run

GOOD = {"mcpServers": {"plain": plain()}}
PLACE = re.compile(r"gatehouse\.json:(\d+):(\d+)")


def places(text):
    """The lines that are named with a column."""
    found = PLACE.findall(text)
    assert found, f"no line and column in: {text}"
    return [int(line) for line, column in found if int(column) > 0]


def test_a_sound_configuration_is_found_sound(tmp_path):
    status, out, err = check(tmp_path, GOOD)
    assert status == 0, out + err


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_file_needs_no_option_before_it(tmp_path, command):
    status, out, err = run(command, "gone.json", cwd=tmp_path)
    assert status == 2 and "cannot read" in out + err and "gone.json" in out + err
    status, out, err = run(command, "gone.json", "two.json", cwd=tmp_path)
    assert status == 2 and '"two.json" is one too many' in err


@pytest.mark.parametrize("key", ["mcpServers", "servers"])
def test_other_clients_forms_are_read(tmp_path, key):
    assert check(tmp_path, {key: GOOD["mcpServers"]})[0] == 0
    assert check(tmp_path, {"mcp": {"servers": GOOD["mcpServers"]}})[0] == 0


def test_json5_is_read(tmp_path):
    text = "// comment\n{ mcpServers: { 'a': { command: 'sh', args: ['-c', 'true',], /* x */ }, }, }\n"
    status, out, err = check(tmp_path, text)
    assert status == 0, out + err


BROKEN = {
    "cut off": ('{\n  "mcpServers": {\n    "a": {"command": "sh"\n', None),
    "no JSON": ("hello\n", 1),
    "a missing comma": ('{\n  "mcpServers": {\n    "a": {"command": "sh" "args": []}\n  }\n}\n', 3),
    "command as a number": ('{\n  "mcpServers": {\n    "a": {\n      "command": 7\n    }\n  }\n}\n', 4),
    "args as a text": (
        '{\n  "mcpServers": {\n    "a": {\n      "command": "sh",\n      "args": "-c"\n    }\n  }\n}\n',
        5,
    ),
    "a number among args": (
        '{\n  "mcpServers": {\n    "a": {"command": "sh",\n      "args": ["-c", 1]\n    }\n  }\n}\n',
        4,
    ),
    "an unknown key in gateway": (
        '{\n  "mcpServers": {"ok": {"command": "sh"}},\n  "gateway": {\n    "limts": {}\n  }\n}\n',
        4,
    ),
    "a limit out of range": (
        '{\n  "mcpServers": {"ok": {"command": "sh"}},\n  "gateway": {"limits": {\n    "body": -1\n  }}\n}\n',
        4,
    ),
    "a time as a text": (
        '{\n  "mcpServers": {"ok": {"command": "sh"}},\n  "gateway": {"timeouts": {\n    "head": "fast"\n  }}\n}\n',
        4,
    ),
    "a bad server name": ('{\n  "mcpServers": {\n    "a b": {"command": "sh"}\n  }\n}\n', 3),
    "a name with another meaning": ('{\n  "mcpServers": {\n    "sse": {"command": "sh"}\n  }\n}\n', 3),
    "a missing variable": (
        '{\n  "mcpServers": {\n    "a": {"command": "sh",\n      "env": {"X": "${NO_SUCH_VARIABLE_7}"}\n    }\n  }\n}\n',
        4,
    ),
}


@pytest.mark.parametrize("text, line", BROKEN.values(), ids=BROKEN.keys())
def test_a_mistake_is_told_with_its_place(tmp_path, text, line):
    status, out, err = check(tmp_path, text)
    assert status == 2, (status, out, err)
    assert line is None and places(out + err) or line in places(out + err), out + err


@pytest.mark.parametrize("name", ["cut off", "no JSON", "an unknown key in gateway", "a limit out of range"])
def test_a_configuration_that_cannot_be_served_ends_serve_with_status_2(tmp_path, name):
    text, _ = BROKEN[name]
    status, out, err = check(tmp_path, text, "--port", "0", command="serve")
    assert status == 2, (status, err)
    places(err)
    assert "listening" not in err


def test_every_mistake_is_told_at_once(tmp_path):
    text = json.dumps({"mcpServers": {"a": {"command": 7}, "b": {"args": []}}, "gateway": {"what": 1}}, indent=1)
    status, out, err = check(tmp_path, text)
    assert status == 2
    told = out + err
    assert len(PLACE.findall(told)) >= 3
    assert "mcpServers.a.command" in told and "mcpServers.b" in told and "gateway.what" in told


def test_a_slip_of_the_pen_gets_a_suggestion(tmp_path):
    status, out, err = check(tmp_path, {"mcpServers": {}, "gateway": {"orgins": []}})
    assert status == 2 and "origins" in out + err


def test_an_unknown_key_of_a_server_is_a_warning(tmp_path):
    status, out, err = check(tmp_path, {"mcpServers": {"a": {"command": "sh", "colour": "red"}}})
    assert status == 0 and "warning" in out + err and "colour" in out + err


def test_a_missing_file_is_told(tmp_path):
    status, out, err = run("serve", "--config", str(tmp_path / "nothing.json"), "--port", "0")
    assert status == 2 and "nothing.json" in err


@pytest.mark.parametrize(
    "arguments", [["serve", "--port", "x"], ["serve", "--prot", "1"], ["dance"], ["serve", "--port", "70000"]]
)
def test_bad_usage_ends_with_status_2(arguments):
    status, out, err = run(*arguments)
    assert status == 2 and err.strip()


def test_a_bind_beyond_loopback_needs_words(tmp_path):
    status, out, err = check(tmp_path, GOOD, "--host", "0.0.0.0", "--port", "0", command="serve")
    assert status == 2 and "authentication" in err


def test_values_of_variables_are_not_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_COMMAND", "canary-secret-value")
    document = {"mcpServers": {"a": {"command": "${SECRET_COMMAND}", "args": [1], "env": {"A": "${SECRET_COMMAND}"}}}}
    status, out, err = check(tmp_path, document)
    assert "canary" not in out + err


def test_uvx_that_is_missing_is_told_with_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("HOME", str(tmp_path))
    status, out, err = check(tmp_path, {"mcpServers": {"a": {"command": "uvx", "args": ["x"]}}})
    assert "uv" in out + err and "install" in (out + err).lower()


def test_inspect_lists_and_calls(gateway):
    status, out, err = run("inspect", gateway.url("plain"))
    assert status == 0, err
    assert "echo" in out


def test_the_log_is_one_line_a_record_without_control_characters(gateway):
    from peers.raw import LegacySession
    from peers.wire import once

    session = LegacySession(gateway, None)
    session.id = "x\x1b]0;title"
    once(gateway.port, "GET", '/nothing"\\n{"level":"error"}', [("User-Agent", "a")])
    once(gateway.port, "GET", "/healthz")
    assert "\x1b" not in gateway.log
