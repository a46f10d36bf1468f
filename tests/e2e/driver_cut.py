#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""A line that breaks: forwards connections on loopback to PORT, and while the file FLAG is there ends one after so many
bytes from the server ('cut') or falls silent ('stall'); each connection uses up one number of BYTES, the last one stays.
Prints the port it listens on. Ends with its standard input.
usage: driver_cut.py PORT FLAG cut|stall BYTES..."""
import os
import select
import socket
import sys

to, flag, how, *numbers = sys.argv[1:]
limits = [int(n) for n in numbers]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
pairs = {}  # socket -> (other end, is it the server's)
left = {}   # server's socket -> bytes it may still send; absent: any number
silent = []  # kept open, never read again


def close(end):
    for s in (end, pairs[end][0]):
        pairs.pop(s)
        left.pop(s, None)
        s.close()


def accept():
    client = listener.accept()[0]
    try:
        server = socket.create_connection(("127.0.0.1", int(to)))
    except OSError:
        client.close()
        return
    pairs[client], pairs[server] = (server, False), (client, True)
    if os.path.exists(flag):
        left[server] = limits.pop(0) if len(limits) > 1 else limits[0]


def forward(end):
    other, from_server = pairs[end]
    try:
        data = end.recv(65536)
        limit = left.get(end, len(data)) if from_server else len(data)
        other.sendall(data[:limit])
    except OSError:
        data, limit = b"", 0
    if end in left:
        left[end] -= len(data)
    if not data or (limit < len(data) and how == "cut"):
        close(end)
    elif limit < len(data):
        for s in (end, other):
            pairs.pop(s)
            silent.append(s)


while True:
    for ready in select.select([sys.stdin, listener, *pairs], [], [])[0]:
        if ready is sys.stdin:
            sys.exit(0)
        if ready is listener:
            accept()
        elif ready in pairs:
            forward(ready)
