#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# proxy.py FOLDER PORT ORIGIN: an HTTP proxy that takes every name to one web server (an address to itself), and may cache:
# while the file FOLDER/cache is there, what it has fetched once is handed out again to whoever does not forbid it. Removing
# the file empties it. What is posted through it is counted in FOLDER/posts.
import http.client
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder, port, origin = sys.argv[1], int(sys.argv[2]), sys.argv[3]
kept = {}


class Proxy(BaseHTTPRequestHandler):
    def fetch(self, body=None):
        host, path = self.path.split("://", 1)[1].split("/", 1)
        c = http.client.HTTPConnection(host if host[0].isdigit() else origin, timeout=5)
        c.request(self.command, "/" + path, body=body, headers={"Host": host, "Content-Type": self.headers.get("Content-Type", "")})
        r = c.getresponse()
        body = r.read()
        headers = [(k, v) for k, v in r.getheaders() if k.lower() in ("content-type", "etag", "last-modified", "date")]
        c.close()
        return r.status, headers, body

    def do_GET(self):
        caching = os.path.exists(folder + "/cache")
        if not caching:
            kept.clear()
        fresh = "no-cache" in self.headers.get("Cache-Control", "")
        answer = kept.get(self.path) if caching and not fresh else None
        age = "1" if answer else None
        answer = answer or self.fetch()
        if caching and not fresh:
            kept[self.path] = answer
        self.give(answer, age)

    def do_POST(self):
        answer = self.fetch(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        with open(folder + "/posts", "a") as f:
            f.write(self.path + "\n")
        self.give(answer, None)

    def give(self, answer, age):
        status, headers, body = answer
        self.send_response_only(status)
        for k, v in headers + ([("Age", age)] if age else []) + [("Content-Length", str(len(body)))]:
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", port), Proxy)
print("ready", flush=True)
server.serve_forever()
