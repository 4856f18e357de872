# Gatehouse. SPDX-License-Identifier: MIT
"""What watches a gateway while it is measured: a collector of traces and a scraper of metrics, on threads."""

import http.server
import threading
import urllib.request


class Collector:
    """Takes what an OTLP exporter sends, and counts it, while the `with` lasts."""

    def __enter__(self):
        self.received = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.received += 1
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def observing(collector, share=0.1, calls="info"):
    """The settings of a gateway that logs as JSON, calls from this level on, and traces this share of them."""
    return {
        "log": {"format": "json", "levels": {"calls": calls}},
        "tracing": {"endpoint": f"{collector.url}/v1/traces", "sampleRatio": share},
    }


class Scraper:
    """Reads a page of metrics every second while the `with` lasts."""

    def __init__(self, url):
        self.url = url

    def __enter__(self):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def run(self):
        while not self.over.wait(1):
            urllib.request.urlopen(self.url, timeout=10).read()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
