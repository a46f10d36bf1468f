# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""A plain client for the lab's own tests: sends each command at the prompt, prints what comes, line ends as on a file."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

PROMPT = re.compile(r"(^|\n)(\[[^\]\n]*\] )?lunash:>$")
INPUT = re.compile(r"(^|\n)\s*> ?$")
SSH_OPTIONS = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
               "-o", "NumberOfPasswordPrompts=1"]
LEGACY = ["-o", "KexAlgorithms=+diffie-hellman-group14-sha1", "-o", "HostKeyAlgorithms=+ssh-rsa",
          "-o", "Ciphers=+aes128-cbc", "-o", "MACs=+hmac-sha1"]


class Talk:
    def __init__(self, store, serial, user="admin"):
        self.text = ""
        self.child = None
        s = store.read()
        if serial:
            self.fd = os.open(store.file("serial"), os.O_RDWR | os.O_NOCTTY)
            return
        how = ["-o", "PreferredAuthentications=" + s["ssh"]["auth"]]
        self.fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, s["shell"]["columns"] or 200, 0, 0))
        self.child = subprocess.Popen(
            ["sshpass", "-f", store.file("password"), "ssh", "-tt", "-p", str(s["ssh"]["port"])] + SSH_OPTIONS + how +
            (LEGACY if s["profile"] in ("5.x", "6.x") else []) + [f"{user}@127.0.0.1"],
            stdin=slave, stdout=slave, stderr=subprocess.STDOUT)
        os.close(slave)

    def send(self, line):
        self.text = ""
        os.write(self.fd, line.encode() + b"\r")

    def until(self, *patterns, timeout=60):
        """Reads until the text ends like one of the patterns; returns its index, or -1 at the end of the connection."""
        end = time.monotonic() + timeout
        while True:
            plain = self.text.replace("\r\n", "\n")
            for i, p in enumerate(patterns):
                if p.search(plain):
                    return i
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise TimeoutError(plain)
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                return -1
            self.text += data.decode("latin-1")

    def show(self):
        sys.stdout.write(self.text.replace("\r\n", "\n"))
        sys.stdout.flush()


def log_in_serial(talk, store):
    """Wakes the line; it may be at a login, or inside a shell that somebody left open."""
    talk.send("")
    asked = re.compile(r"login as: $")
    password = re.compile(r"Password: $")
    if talk.until(asked, PROMPT, timeout=20) == 0:
        talk.send("admin")
        talk.until(password)
        talk.send(store.text("password"))
        talk.until(PROMPT)


def run(store, commands, serial=False, answer="quit", banner=False, user="admin"):
    """Returns 0, or 1 when the connection ended before the last command had its prompt."""
    talk = Talk(store, serial, user)
    try:
        if serial:
            log_in_serial(talk, store)
        elif talk.until(PROMPT) < 0:
            talk.show()
            return 1
        if banner:
            talk.show()
        for command in commands:
            talk.send(command)
            while (hit := talk.until(PROMPT, INPUT)) == 1:
                talk.show()
                talk.send(answer)
            talk.show()
            if hit < 0:
                return 1
        print()
        if serial:
            talk.send("exit")
            talk.until(re.compile("Exiting"))
        return 0
    except TimeoutError as e:
        print(f"{e}\nluna talk: nothing more came", file=sys.stderr)
        return 2
    finally:
        if talk.child:
            talk.child.kill()
            talk.child.wait()
        os.close(talk.fd)
