#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A web server that misbehaves on request, for tests on loopback.

hostile.py FOLDER PORT [--tls CERT KEY PORT]... [--dns] [--seconds N]

Files of FOLDER are served by name as application/pkix-crl; a path of the list below misbehaves
instead. 'old' addresses (third byte group ends in 3, 7, 9) serve FOLDER/old/NAME when it exists.
--tls adds a port with that certificate. --dns listens on UDP 53 and never answers. The server ends
by itself after N seconds (default 300).
"""
import gzip
import http.server
import os
import socket
import socketserver
import ssl
import sys
import threading
import time

FOLDER = sys.argv[1]
STATE = {"requests": 0}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "hostile"
    sys_version = ""

    def log_message(self, *args):
        pass

    def body(self, data, kind="application/pkix-crl", status=200, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def file(self, name):
        local = self.connection.getsockname()[0]
        old = local.rsplit(".", 1)[-1] in ("3", "7", "9")
        for folder in ([os.path.join(FOLDER, "old")] if old else []) + [FOLDER]:
            path = os.path.join(folder, os.path.basename(name))
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    return f.read()
        return None

    def raw(self, text):
        self.wfile.write(text.encode("latin-1"))
        self.wfile.flush()
        self.close_connection = True

    def forever(self, chunk, pause):
        end = time.time() + 30
        try:
            while time.time() < end:
                self.wfile.write(chunk)
                self.wfile.flush()
                time.sleep(pause)
        except OSError:
            pass
        self.close_connection = True

    def do_GET(self):
        STATE["requests"] += 1
        self.path = self.path.replace("%20", " ")
        name = self.path.lstrip("/").split("?")[0]
        special = getattr(self, "on_" + name.split("/")[0].replace("-", "_").split(".")[0], None)
        if self.path.startswith("http://"):
            self.body(b"who are you?", "text/plain", 407, [("Proxy-Authenticate", "Basic realm=x")])
        elif special:
            special(name)
        else:
            data = self.file(name)
            if data is None:
                self.body(b"<html>not here</html>", "text/html", 404)
            else:
                self.body(data, headers=[("ETag", '"%d"' % len(data))])

    # the list of faults
    def on_silent(self, name):
        time.sleep(20)
        self.close_connection = True

    def on_drip(self, name):
        self.raw("HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\nContent-Length: 500\r\n\r\n")
        self.forever(b"\x30", 1)

    def on_endless(self, name):
        self.raw("HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\n\r\n")
        data = self.file("good.crl")
        self.wfile.write(data[:4])
        self.forever(b"\x30\x03\x02\x01\x00" * 4000, 0.001)

    def on_garbage(self, name):
        self.raw("HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\n\r\n")
        self.forever(b"x" * 65536, 0.001)

    def on_loop(self, name):
        self.body(b"", status=302, headers=[("Location", "/loop")])

    def on_tofile(self, name):
        self.body(b"", status=302, headers=[("Location", "file:///etc/passwd")])

    def on_toother(self, name):
        port = self.server.server_address[1]
        self.body(b"", status=302, headers=[("Location", "http://other.test:%d/good.crl" % port)])

    def on_gzip(self, name):
        self.body(gzip.compress(b"\0" * 50_000_000), headers=[("Content-Encoding", "gzip")])

    def do_CONNECT(self):
        self.body(b"", status=407, headers=[("Proxy-Authenticate", "Basic realm=x")])

    def on_huge(self, name):
        """A CRL of 300 MB made while it is sent: nothing of that size is in any memory or on any disk."""
        data = self.file("huge.head")
        entries, n = data[12 + int(data[:4]):], int(data[4:12])
        self.send_response(200)
        self.send_header("Content-Type", "application/pkix-crl")
        tail = self.file("huge.tail")
        head = data[12:12 + int(data[:4])]
        self.send_header("Content-Length", str(len(head) + n * len(entries) + len(tail)))
        self.end_headers()
        self.wfile.write(head)
        for _ in range(n):
            self.wfile.write(entries)
        self.wfile.write(tail)

    def on_less(self, name):
        """Announces less than the CRL has."""
        data = self.file("good.crl")
        self.send_response(200)
        self.send_header("Content-Type", "application/pkix-crl")
        self.send_header("Content-Length", str(len(data) - 20))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    def on_short(self, name):
        data = self.file("good.crl")
        self.send_response(200)
        self.send_header("Content-Type", "application/pkix-crl")
        self.send_header("Content-Length", str(len(data) + 1000))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    def on_cut(self, name):
        self.raw("HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\n\r\n")
        self.wfile.write(self.file("good.crl")[:200])

    def on_chunkcut(self, name):
        """Well-formed chunks, the last one included, and half of the CRL."""
        data = self.file("good.crl")[:150]
        self.raw("HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(data))
        self.wfile.write(data + b"\r\n0\r\n\r\n")

    def on_announce(self, name):
        self.raw("HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\n"
                 "Content-Length: 99000000000\r\n\r\n")

    def on_empty(self, name):
        self.body(b"")

    def on_html(self, name):
        self.body(b"<!DOCTYPE html><html><body>please sign in</body></html>", "text/html")

    def on_mime(self, name):
        self.body(self.file("good.crl"), "text/plain")

    def on_cache(self, name):
        self.body(self.file("good.crl"), headers=[("Cache-Control", "max-age=31536000")])

    def on_skew(self, name):
        data = self.file("good.crl")
        self.raw("HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\nDate: Wed, 01 Jan 2020 "
                 "00:00:00 GMT\r\nContent-Length: %d\r\n\r\n" % len(data))
        self.wfile.write(data)

    def on_auth(self, name):
        self.body(b"", status=401, headers=[("WWW-Authenticate", "Negotiate")])

    def on_broken(self, name):
        self.body(b"oops", "text/plain", 500)

    def on_close(self, name):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def on_headers(self, name):
        self.raw("HTTP/1.1 200 OK\r\n")
        self.forever(b"X-Filler: " + b"y" * 1000 + b"\r\n", 0.001)

    def on_slow50(self, name):
        time.sleep(0.05)
        self.body(self.file("good.crl"))

    def on_conditional(self, name):
        if self.headers.get("If-None-Match") == '"v1"':
            self.send_response(304)
            self.send_header("ETag", '"v1"')
            self.end_headers()
        else:
            self.body(self.file("good.crl"), headers=[("ETag", '"v1"')])

    def on_tells(self, name):
        """Fails the test when anything that could be a credential or cookie arrives."""
        bad = [h for h in self.headers if h.lower() in ("authorization", "cookie", "proxy-authorization")]
        self.body(self.file("good.crl") if not bad else b"credentials: " + ",".join(bad).encode())


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        pass


class Server6(Server):
    address_family = socket.AF_INET6


def listen(cls, host, port, cert=None, key=None):
    server = cls((host, port), Handler)
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    args = sys.argv[2:]
    seconds = 300
    listen(Server, "0.0.0.0", int(args[0]))
    try:
        listen(Server6, "::1", int(args[0]))
    except OSError:
        pass
    i = 1
    while i < len(args):
        if args[i] == "--tls":
            listen(Server, "0.0.0.0", int(args[i + 3]), args[i + 1], args[i + 2])
            i += 4
        elif args[i] == "--dns":
            quiet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            quiet.bind(("127.0.0.1", 53))
            STATE["dns"] = quiet
            i += 1
        elif args[i] == "--seconds":
            seconds = int(args[i + 1])
            i += 2
        else:
            sys.exit("hostile.py: unknown argument " + args[i])
    print("ready", flush=True)
    time.sleep(seconds)


main()
