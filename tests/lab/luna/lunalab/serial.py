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
    """Login, shell, login, shell ... until the appliance goes down. After a boot its messages and the question for the login
    come unasked, whatever was typed before."""
    from .shell import open_shell
    s = store.read()
    asked = s["boots"] > 1
    if s["serial"]["boot_messages"] and asked:
        os.write(fd, b"\r\nStarting sshd:                                             [  OK  ]\r\n"
                     b"\r\nKernel 3.10.0 on an x86_64 (ttyS0)\r\n\r\n")
    first = s["serial"]["open"]
    while True:
        try:
            if not first and not login(store, fd, asked):
                asked = True
                continue
            if store.read()["serial"]["garbage"]:
                os.write(fd, GARBAGE)
            open_shell(store, fd, fd, "admin", "Console")
        except Gone:
            pass
        first = asked = False


def login(store, fd, asked):
    """One attempt. After a logout nothing is printed until somebody presses Enter; a login that takes too long ends."""
    s = store.read()
    term = Terminal(fd, fd)
    term.columns = 80
    if not asked:
        term.read_line(echo="none")
    if s["serial"]["garbage"]:
        term.raw_write(GARBAGE)
    while True:
        term.write(f"\n{s['hostname']} login as: ")
        user = term.read_line(echo="line").strip()
        if user:
            break
    term.write("Password: ")
    term.idle = s["serial"]["login_timeout"]
    try:
        given = term.read_line(echo="none")
    except Gone:
        term.write("\nLogin timed out\n")
        return False
    if user == "admin" and given == store.text("password"):
        return True
    term.write("\nLogin incorrect\n")
    return False
