# SPDX-License-Identifier: Apache-2.0
"""The misbehaviour that nginx cannot be told to do, as its upstream: 'cut' (announces the whole length, sends half and
closes), 'endless' (a body that never ends, 2 GB at most), 'slow' (one byte per second)."""
import http.server
import os
import sys
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        path = urllib.parse.unquote(self.headers.get("X-Path", "/"))
        name = os.path.join(self.headers.get("X-Folder", "/nonexistent"), os.path.basename(path))
        try:
            with open(name, "rb") as f:
                data = f.read()
        except OSError:
            self.send_error(404)
            return
        mode = self.headers.get("X-Mode")
        self.send_response(200)
        self.send_header("Content-Type", "application/pkix-crl")
        if mode != "endless":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.body(mode, data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def body(self, mode, data):
        if mode == "cut":
            self.wfile.write(data[: len(data) // 2])
        elif mode == "slow":
            for i in range(len(data)):
                self.wfile.write(data[i : i + 1])
                self.wfile.flush()
                time.sleep(1)
        else:
            self.wfile.write(data)
            block = b"\0" * 65536
            for _ in range(2 * 1024 * 16):
                self.wfile.write(block)

    def log_message(self, format, *args):
        pass


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
