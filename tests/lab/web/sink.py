#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A mail server and a webhook on loopback that write down what they get, for tests.

sink.py FOLDER CERT KEY: mail with STARTTLS on 2525, a refusing one on 2526, one that is silent on 2527,
one on 2529 that wants a login (PLAIN or LOGIN, after STARTTLS only, user crl, password in SINK_PASSWORD), one on
2530 that knows LOGIN only, webhook on 8090: /ok, /fail, /slack and /teams with those services' limits on what they
take, /teams-says with the limit told in the body of a 200, /brief that takes 1500 bytes. FOLDER/mail.txt and FOLDER/hook.json hold the last of
each that was taken, mails.txt and hooks.jsonl all of them, asked.txt path, size and answer of every call, auth.txt the logins that were accepted. Ends after 180 s.
"""
import base64
import http.server
import json
import os
import socketserver
import ssl
import sys
import threading
import time

FOLDER, CERT, KEY = sys.argv[1:4]
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(CERT, KEY)


class Mail(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def ask(self, prompt):
        self.say("334 " + base64.b64encode(prompt).decode())
        return base64.b64decode(self.rfile.readline(2000))

    def auth(self, words, ways):
        way = words[0].upper()
        if way not in ways.split():
            self.say("504 5.5.4 not known here")
            return
        if way == "PLAIN":
            data = base64.b64decode(words[1]) if len(words) > 1 else self.ask(b"")
            user, password = (data.split(b"\0") + [b"", b""])[1:3]
        else:
            user = base64.b64decode(words[1]) if len(words) > 1 else self.ask(b"Username:")
            password = self.ask(b"Password:")
        self.authed = user == b"crl" and password == os.environb.get(b"SINK_PASSWORD", b"-")
        if self.authed:
            with open(os.path.join(FOLDER, "auth.txt"), "a") as f:
                f.write(way + "\n")
        self.say("235 2.7.0 welcome" if self.authed else "535 5.7.8 bad credentials")

    def handle(self):
        refusing = self.server.server_address[1] == 2526
        if self.server.server_address[1] == 2527:
            time.sleep(60)
            return
        encrypted = False
        self.authed = False
        port = self.server.server_address[1]
        ways = {2529: "PLAIN LOGIN", 2530: "LOGIN"}.get(port)
        self.say("220 sink")
        while True:
            line = self.rfile.readline(2000).decode("latin-1").strip()
            verb = line.split(" ")[0].split(":")[0].upper()
            if not line or verb == "QUIT":
                self.say("221 bye")
                return
            if verb == "EHLO":
                self.say("250-sink")
                if encrypted and ways:
                    self.say("250-AUTH " + ways)
                self.say("250 8BITMIME" if encrypted else "250 STARTTLS")
            elif verb == "AUTH" and encrypted and ways:
                self.auth(line.split(" ")[1:], ways)
            elif verb == "MAIL" and ways and not self.authed:
                self.say("530 5.7.0 authentication required")
            elif verb == "STARTTLS":
                self.say("220 go")
                self.connection = CONTEXT.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb")
                encrypted = True
            elif verb == "RCPT" and refusing:
                self.say("550 5.7.1 relaying denied")
            elif verb == "DATA":
                self.say("354 go")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += self.rfile.readline(100000)
                with open(os.path.join(FOLDER, "mail.txt"), "wb") as f:
                    f.write(b"TLS\r\n" if encrypted else b"PLAIN\r\n")
                    f.write(text)
                with open(os.path.join(FOLDER, "mails.txt"), "ab") as f:
                    f.write(text)
                self.say("250 taken")
            else:
                self.say("250 ok")


def slack_takes(data):
    """docs.slack.dev: a section has 1 to 3000 characters, a header 150, a message 50 blocks and 40,000 characters."""
    message = json.loads(data)
    sizes = {"section": 3000, "header": 150}
    blocks = message.get("blocks", [])
    return len(message["text"]) <= 40000 and len(blocks) <= 50 and all(
        1 <= len(b["text"]["text"]) <= sizes[b["type"]] for b in blocks)


def teams_takes(data):
    """28 KB, counted in UTF-16: from 14,000 ASCII characters on an incoming webhook has answered 413."""
    json.loads(data)
    return len(data.decode().encode("utf-16-le")) <= 28 * 1024


TOO_LARGE = b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId x"


def judge(path, data):
    """The status of the answer, its body, and whether the message was taken."""
    if path.startswith("/slack"):
        return (200, b"ok", True) if slack_takes(data) else (400, b"invalid_blocks", False)
    if path.startswith("/teams-says"):
        return (200, b"1", True) if len(data) <= 1500 else (200, TOO_LARGE, False)
    if path.startswith("/teams"):
        return (202, b"", True) if teams_takes(data) else (413, b"Request Entity Too Large", False)
    if path.startswith("/brief"):
        return (200, b"ok", True) if len(data) <= 1500 else (413, b"too long", False)
    if path.startswith("/ok"):
        return 200, b"no thanks", True
    return 500, b"no thanks", False


class Hook(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        status, body, taken = judge(self.path, data)
        with open(os.path.join(FOLDER, "asked.txt"), "a") as f:
            f.write(f"{self.path} {len(data)} {status}\n")
        if taken:
            with open(os.path.join(FOLDER, "hook.json"), "wb") as f:
                f.write(data)
            with open(os.path.join(FOLDER, "hooks.jsonl"), "ab") as f:
                f.write(data.replace(b"\n", b" ") + b"\n")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


for port, handler in ((2525, Mail), (2526, Mail), (2527, Mail), (2529, Mail), (2530, Mail), (8090, Hook)):
    threading.Thread(target=Server(("127.0.0.1", port), handler).serve_forever, daemon=True).start()
print("ready", flush=True)
time.sleep(180)
