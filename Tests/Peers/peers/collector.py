"""A collector of spans: takes OTLP over HTTP as JSON, and can be told to refuse it."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from peers.waiting import until

HEX16, HEX32 = re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-f]{32}")


class Collector:
    def __init__(self):
        self.spans, self.requests, self.status = [], [], 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                collector.requests.append((self.path, dict(self.headers), body))
                status = collector.status
                if status == 200:
                    collector.take(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def take(self, body):
        for resource in body["resourceSpans"]:
            named = attributes(resource["resource"])
            for scope in resource["scopeSpans"]:
                assert scope["scope"]["name"] == "gatehouse"
                for span in scope["spans"]:
                    assert HEX32.fullmatch(span["traceId"]) and HEX16.fullmatch(span["spanId"])
                    assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
                    self.spans.append({**span, "named": attributes(span), "service": named["service.name"]})

    def of(self, trace):
        return [span for span in self.spans if span["traceId"] == trace]

    def wait(self, trace, count=1):
        until(lambda: len(self.of(trace)) >= count, f"{count} spans of {trace}", timeout=20)
        return self.of(trace)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def attributes(thing):
    return {entry["key"]: entry["value"]["stringValue"] for entry in thing["attributes"]}
