# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""The terminal side of lunash: its own echo and line editing, CRLF, wrapping, idle time-out, loss of the connection."""
import fcntl
import os
import select
import signal
import struct
import termios
import time


class Gone(Exception):
    """The client has gone or is sent away; the shell ends without another word."""


class Terminal:
    def __init__(self, rfd, wfd, forced_columns=0, wrap_output=False, idle=None):
        self.rfd, self.wfd = rfd, wfd
        self.columns = forced_columns or self._columns()
        self.wrap_output = wrap_output and forced_columns
        self.idle = idle            # seconds, None: for ever
        self.detached = False       # the connection is lost, a protected operation carries on without it
        self.protected = False
        self.column = 0
        self.pending = b""
        self.after_cr = False
        self.history = []
        self._raw()

    def _columns(self):
        try:
            _, cols, _, _ = struct.unpack("HHHH", fcntl.ioctl(self.rfd, termios.TIOCGWINSZ, b"\0" * 8))
            return cols or 80
        except OSError:
            return 0  # a pipe: nothing wraps

    def _raw(self):
        """No echo and no signals from the tty: lunash does both itself, whatever the client asked for."""
        if not os.isatty(self.rfd):
            return
        mode = termios.tcgetattr(self.rfd)
        mode[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON)
        mode[1] &= ~termios.OPOST
        mode[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
        termios.tcsetattr(self.rfd, termios.TCSANOW, mode)

    def raw_write(self, data):
        if self.detached:
            return
        try:
            while data:
                data = data[os.write(self.wfd, data):]
        except OSError as e:
            self._lost(e)

    def _lost(self, cause):
        if not self.protected:
            raise Gone(str(cause))
        self.detached = True

    def write(self, text):
        """Output with CRLF line ends; hard-wrapped when the lab asks for a narrow terminal."""
        if self.wrap_output:
            text = self._wrap(text)
        self.raw_write(text.replace("\n", "\r\n").encode())
        self.column = len(text.rsplit("\n", 1)[-1]) if "\n" in text else self.column + len(text)

    def _wrap(self, text):
        out, column = [], self.column
        for c in text:
            if c != "\n" and column == self.columns:
                out.append("\n")
                column = 0
            out.append(c)
            column = 0 if c == "\n" else column + 1
        return "".join(out)

    def read_byte(self, timeout):
        if not self.pending:
            ready, _, _ = select.select([self.rfd], [], [], timeout)
            if not ready:
                return None
            try:
                self.pending = os.read(self.rfd, 4096)
            except OSError as e:
                raise Gone(str(e)) from e
            if not self.pending:
                raise Gone("end of input")
        b, self.pending = self.pending[:1], self.pending[1:]
        return b

    def read_line(self, echo="line", complete=None):
        """One edited line. echo: 'line', 'stars' or 'none'. Ctrl-C ends the whole login, as on the appliance."""
        line, where = "", len(self.history)
        while True:
            b = self.read_byte(self.idle)
            if b is None:
                raise Gone("idle")
            if b == b"\n" and self.after_cr:
                self.after_cr = False
                continue
            self.after_cr = b == b"\r"
            if b in b"\r\n":
                self.write("\n")
                if echo == "line" and line.strip():
                    self.history.append(line)
                return line
            if b == b"\x03" or (b == b"\x04" and not line):
                raise Gone("interrupted")
            if b in (b"\x7f", b"\x08", b"\x15", b"\x17"):
                keep = {b"\x15": "", b"\x17": line.rstrip().rpartition(" ")[0]}.get(b, line[:-1])
                self._erase(len(line) - len(keep), echo)
                line = keep
            elif b in (b"\x10", b"\x0e") and echo == "line":
                where = max(0, min(len(self.history), where + (-1 if b == b"\x10" else 1)))
                self._erase(len(line), echo)
                line = self.history[where] if where < len(self.history) else ""
                self._echo(line, echo)
            elif b == b"\t" and echo == "line":
                more = complete(line) if complete else ""
                self._echo(more or "\a", echo)
                line += more
            elif b >= b" ":
                line += b.decode("latin-1")
                self._echo(line[-1], echo)

    def _erase(self, count, echo):
        if echo != "none":
            self.raw_write(b"\b \b" * count)
            self.column = max(0, self.column - count)

    def _echo(self, text, echo):
        """Character by character; at the right margin the cursor is moved on as line editors do: space, CR."""
        if echo == "none":
            return
        for c in text if echo == "line" else "*" * len(text):
            self.raw_write(c.encode("latin-1"))
            self.column += 1
            if self.columns and self.column == self.columns:
                self.raw_write(b" \r")
                self.column = 0

    def pause(self, seconds, idle=None):
        """Silence. The client's loss is noticed; a silence longer than the idle time ends the session (idle not None)."""
        end = time.monotonic() + seconds
        limit = time.monotonic() + idle if idle is not None else None
        while (left := end - time.monotonic()) > 0:
            if limit is not None and time.monotonic() >= limit and not self.detached:
                if not self.protected:
                    raise Gone("idle")
                self.hang_up()
            if self.detached:
                time.sleep(left)
                continue
            wait = min(left, max(0.0, limit - time.monotonic())) if limit is not None else left
            ready, _, _ = select.select([self.rfd], [], [], wait)
            if ready:
                self._read_ahead()

    def _read_ahead(self):
        try:
            data = os.read(self.rfd, 4096)
        except OSError as e:
            data = b""
        if not data:
            self._lost("end of input")
        elif b"\x03" in data:
            raise Gone("interrupted")
        self.pending += data

    def hang_up(self):
        """Closes the connection under the client's feet: the sshd process of this session is killed."""
        self.detached = True
        for pid in session_pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def session_pids():
    """The sshd processes between this shell and the listener, inside out (none on the serial line)."""
    found, pid = [], os.getppid()
    while pid > 1:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                stat = f.read()
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                title = f.read()
        except FileNotFoundError:
            break
        if not title.startswith(b"sshd:") or b"[listener]" in title:
            break
        found.append(pid)
        pid = int(stat.rpartition(")")[2].split()[1])
    return found
