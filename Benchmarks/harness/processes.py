# Gatehouse. SPDX-License-Identifier: MIT
"""The processes of a run: started here, and ended here whatever happens."""

import json
import re
import socket
import subprocess
import time

from .tools import OUTPUT, BenchError


class Processes:
    """Everything that a run has started; ends all of it, by process id, when the `with` ends."""

    def __init__(self, programs, gateway):
        self.programs = programs
        self.gateway = gateway
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            end(process)

    def start(self, command, **options):
        # A session of its own: Ctrl-C comes to this program alone, which then ends the others in order.
        process = subprocess.Popen([str(part) for part in command], start_new_session=True, **options)
        self.running.append(process)
        return process

    def start_floor(self, mode):
        """Starts the relay; returns the URL at which it answers, and its process."""
        port = free_port()
        echo = self.programs["mcp_echo"]
        process = self.start([self.programs["limit_relay"], port, mode, echo], stderr=subprocess.DEVNULL)
        wait_for_port(port, process)
        return f"http://127.0.0.1:{port}/mcp", process

    def start_gateway(self, name, era=None, server=None, gateway=None):
        """Starts a gateway that speaks to its server in this era; returns the URL at which it answers, and its process.

        `server` and `gateway` are further keys of its configuration.
        """
        configuration = OUTPUT / f"gateway-{name}.json"
        server = {"command": str(self.programs["mcp_echo"]), **({"era": era} if era else {}), **(server or {})}
        gateway = {"limits": {"sessions": 2000, "children": 2000}, **(gateway or {})}
        configuration.write_text(json.dumps({"mcpServers": {"echo": server}, "gateway": gateway}))
        talk = OUTPUT / f"gateway-{name}.log"
        with open(talk, "wb") as log:
            process = self.start([self.gateway, "serve", "--config", configuration, "--port", 0], stderr=log)
        end_of_wait = time.monotonic() + 10
        while time.monotonic() < end_of_wait and process.poll() is None:
            found = re.search(r"listening on (http://\S+)", talk.read_text(errors="replace"))
            if found:
                return f"{found.group(1)}/mcp", process
            time.sleep(0.02)
        raise BenchError(f"the gateway did not start; see {talk}")

    def load(self, url, *options):
        """Runs the load client to its end; returns what it measured."""
        process = self.start(
            [self.programs["mcpload"], "--url", url, "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        output, talk = process.communicate()
        self.running.remove(process)
        if process.returncode != 0 or not output.strip():
            raise BenchError(f"the load client failed on {url}: {talk.strip()}")
        result = json.loads(output)
        if result["bad"]:
            raise BenchError(f"{result['bad']} wrong answers from {url}: {talk.strip()}")
        return result

    def start_time(self, rounds):
        """The median time of a bare start, in milliseconds."""
        shown = subprocess.run(
            [self.programs["start_time"], str(rounds), self.programs["mcp_echo"]],
            capture_output=True,
            text=True,
            check=False,
        )
        if shown.returncode != 0:
            raise BenchError(shown.stderr.strip())
        return float(shown.stdout.split()[0])

    def stop(self, process):
        if process in self.running:
            self.running.remove(process)
        end(process)


def end(process):
    """Ends a process: asks, waits, and kills."""
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    end_of_wait = time.monotonic() + 5
    while time.monotonic() < end_of_wait and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise BenchError(f"nothing answers on port {port}")


def memory(pid):
    """Resident and proportional memory of a process without its children, in KiB."""
    with open(f"/proc/{pid}/smaps_rollup") as text:
        found = dict(re.findall(r"^(Rss|Pss):\s+(\d+) kB", text.read(), re.MULTILINE))
    return {"rss": int(found["Rss"]), "pss": int(found["Pss"])}
