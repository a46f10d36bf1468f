#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An OCSP responder that misbehaves on request, for tests on loopback.

ocsp.py FOLDER PORT [--seconds N]

FOLDER holds ca.pem and ca.key, leaf.pem (the one certificate it knows) and, for delegated answers,
signer.pem with signer.key, plain.pem with plain.key (no OCSP Signing), old.pem with old.key (expired),
other.pem with other.key (of another CA). The path chooses the behaviour; times are relative to now.
FOLDER/thisupdate (seconds since 1970) is the thisUpdate of a CRL-driven responder when it exists.
"""
import datetime
import hashlib
import http.server
import os
import socketserver
import sys
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

FOLDER = sys.argv[1]
HOUR = 3600


def cert(name):
    with open(os.path.join(FOLDER, name + ".pem"), "rb") as f:
        return x509.load_pem_x509_certificate(f.read())


def key(name):
    with open(os.path.join(FOLDER, name + ".key"), "rb") as f:
        return serialization.load_pem_private_key(f.read(), None)


def source_time():
    """thisUpdate of the CRL it would answer from."""
    try:
        with open(os.path.join(FOLDER, "thisupdate")) as f:
            return int(f.read())
    except OSError:
        return int(time.time())


def moment(seconds):
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(seconds))


def answer(request, signer="ca", status=ocsp.OCSPCertStatus.GOOD, begin=None, end=24 * HOUR, nonce=False):
    begin = source_time() if begin is None else time.time() + begin
    leaf, ca = cert("leaf"), cert("ca")
    if request.serial_number != leaf.serial_number:
        return error(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    revoked = moment(begin) if status == ocsp.OCSPCertStatus.REVOKED else None
    b = ocsp.OCSPResponseBuilder().add_response(
        leaf, ca, hashes.SHA1(), status, moment(begin), moment(time.time() + end), revoked,
        x509.ReasonFlags.unspecified if revoked else None)
    b = b.responder_id(ocsp.OCSPResponderEncoding.HASH, cert(signer))
    if signer != "ca":
        b = b.certificates([cert(signer)])
    if nonce:
        b = b.add_extension(x509.OCSPNonce(hashlib.sha256(b"another").digest()[:16]), False)
    from cryptography.hazmat.primitives.serialization import Encoding
    return b.sign(key(signer), hashes.SHA256()).public_bytes(Encoding.DER)


def error(status):
    from cryptography.hazmat.primitives.serialization import Encoding
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def spoilt(data):
    return data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]


DER = "application/ocsp-response"
STATUS = ocsp.OCSPResponseStatus
BEHAVIOURS = {
    "good": lambda rq: (200, DER, answer(rq)),
    "delegated": lambda rq: (200, DER, answer(rq, "signer")),
    "revoked": lambda rq: (200, DER, answer(rq, status=ocsp.OCSPCertStatus.REVOKED)),
    "unknown": lambda rq: (200, DER, answer(rq, status=ocsp.OCSPCertStatus.UNKNOWN)),
    "stale": lambda rq: (200, DER, answer(rq, begin=-72 * HOUR, end=-HOUR)),
    "oldcrl": lambda rq: (200, DER, answer(rq, begin=-30 * HOUR)),
    "future": lambda rq: (200, DER, answer(rq, begin=2 * HOUR)),
    "plain": lambda rq: (200, DER, answer(rq, "plain")),
    "other": lambda rq: (200, DER, answer(rq, "other")),
    "expired": lambda rq: (200, DER, answer(rq, "old")),
    "spoilt": lambda rq: (200, DER, spoilt(answer(rq))),
    "nonce": lambda rq: (200, DER, answer(rq, nonce=True)),
    "unauthorized": lambda rq: (200, DER, error(STATUS.UNAUTHORIZED)),
    "trylater": lambda rq: (200, DER, error(STATUS.TRY_LATER)),
    "malformed": lambda rq: (200, DER, error(STATUS.MALFORMED_REQUEST)),
    "mime": lambda rq: (200, "text/plain", answer(rq)),
    "html": lambda rq: (200, "text/html", b"<!DOCTYPE html><html>please sign in</html>"),
    "garbage": lambda rq: (200, DER, bytes(range(200))),
    "cut": lambda rq: (200, DER, answer(rq)[:200]),
    "empty": lambda rq: (200, DER, b""),
    "down": lambda rq: (503, "text/html", b"<html>Service Unavailable</html>"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, kind, data):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.reply(405, "text/plain", b"POST only")

    def do_POST(self):
        name = self.path.strip("/").split("/")[-1]
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if name == "silence":
            time.sleep(20)
            self.close_connection = True
        elif name == "moved":
            self.send_response(302)
            self.send_header("Location", "/ocsp/good")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif name not in BEHAVIOURS or self.headers.get("Content-Type") != "application/ocsp-request":
            self.reply(404, "text/html", b"<html>not here</html>")
        else:
            self.reply(*BEHAVIOURS[name](ocsp.load_der_ocsp_request(body)))


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        sys.excepthook(*sys.exc_info())


def main():
    seconds = int(sys.argv[4]) if sys.argv[3:4] == ["--seconds"] else 300
    server = Server(("0.0.0.0", int(sys.argv[2])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    time.sleep(seconds)


main()
