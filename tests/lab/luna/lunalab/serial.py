# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""The serial console: a pty pair whose far end is DIR/serial. It asks for a login unless somebody left a shell open."""
import os
import signal
import tty

from .terminal import Gone, Terminal

GARBAGE = b"\xff\xfe\x00\x80~~\xe3\x12 k7pf0: [HSM] \x1b[2J\x07ttyS0: 1 input overrun(s)\r\n"


class SerialLine:
    def __init__(self, store):
        self.store = store
        self.pid = 0
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)      # kept open, so that a client may come and go
        link = store.file("serial")
        if os.path.islink(link):
            os.unlink(link)
        os.symlink(os.ttyname(self.slave), link)

    def start(self):
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
                console(self.store, self.master)
                code = 0
            finally:
                os._exit(code)

    def stop(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0


def console(store, fd):
    """Login, shell, login, shell ... until the appliance goes down."""
    from .shell import open_shell
    s = store.read()
    if s["serial"]["boot_messages"] and s["boots"] > 1:
        os.write(fd, b"\r\nStarting sshd:                                             [  OK  ]\r\n")
    first = s["serial"]["open"]
    while True:
        try:
            if not first and not login(store, fd):
                continue
            if store.read()["serial"]["garbage"]:
                os.write(fd, GARBAGE)
            open_shell(store, fd, fd, "admin", "Console")
        except Gone:
            pass
        first = False


def login(store, fd):
    """One attempt. Nothing is printed until somebody presses Enter."""
    term = Terminal(fd, fd)
    term.columns = 80
    term.read_line(echo="none")
    s = store.read()
    if s["serial"]["garbage"]:
        term.raw_write(GARBAGE)
    while True:
        term.write(f"\n{s['hostname']} login as: ")
        user = term.read_line(echo="line").strip()
        if user:
            break
    term.write("Password: ")
    given = term.read_line(echo="none")
    if user == "admin" and given == store.text("password"):
        return True
    term.write("\nLogin incorrect\n")
    return False
