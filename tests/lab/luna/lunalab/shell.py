# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""lunash: banner, prompt, command lookup by unique prefix, result line, the proceed questions."""
import os
import re
import shlex
import signal
import sys
import time

from . import ped
from .state import version
from .terminal import Gone, Terminal

SUCCESS, USAGE, FAILED = 0, 22, 65535
RESULT_TEXT = {SUCCESS: "Success", USAGE: "Invalid argument", FAILED: "Luna Shell execution"}

PASSWORD_BLOCK = """*****************************************************
**                                                 **
**   For security purposes, you must change your   **
**   password.                                     **
**                                                 **
**   Please ensure you store your new password     **
**   in a secure location.                         **
**                                                 **
**               DO NOT LOSE IT!                   **
**                                                 **
*****************************************************

Changing password for user {user}.

You can now choose the new password.

The password must be at least 8 characters long.
The password must contain characters from at least 3 of the following 4 categories:
    - Uppercase letters (A through Z)
    - Lowercase letters (a through z)
    - Numbers (0 through 9)
    - Non-alphanumeric characters (such as !, $, #, %)

"""


class Fail(Exception):
    """A command that fails: body text and result number."""

    def __init__(self, body="", code=FAILED):
        super().__init__(body)
        self.body, self.code = body, code


class Shell:
    def __init__(self, store, term, user, peer, commands):
        self.store, self.term, self.user, self.peer = store, term, user, peer
        self.commands = commands    # {"hsm show": function(shell, args)}
        self.lines = 0              # body lines of the running command, for 'fault.drop NAME@LINES'
        self.running = ""
        self.ended = False
        self.token = f"{os.getpid()}.{time.time():.6f}"    # whose SO login it is

    # -- session ---------------------------------------------------------------------------------
    def session(self):
        s = self.store.read()
        self.store.log(f"lunash [{os.getpid()}]: info : 0 : Lush user login : {self.user} : {self.peer}")
        if s["shell"]["last_login"] and self.peer != "Console":
            self.term.write(time.strftime("Last login: %a %b %e %H:%M:%S %Y\n", time.gmtime()))
        if s["shell"]["motd"]:
            self.term.write(s["shell"]["motd"].replace("\\n", "\n") + "\n")
        self.term.write(f"\nLuna Network HSM Command Line Shell v{s['sw']}. Copyright (c) 2018 SafeNet. "
                        "All rights reserved.\n\n\n")
        try:
            if s["shell"]["must_change_password"]:
                self._change_password()
            while not self.ended:
                self.term.write(self.prompt())
                line = self.term.read_line(complete=self.complete)
                if line.strip():
                    self.execute(line)
        except Gone as e:
            self.store.log(f"lunash [{os.getpid()}]: info : 0 : Lush user logout ({e}) : {self.user} : {self.peer}")
        finally:
            self._end()

    def _end(self):
        with self.store.change() as s:
            if s["hsm"]["so"] == self.token:
                s["hsm"]["so"] = ""

    def prompt(self):
        s = self.store.read()
        return f"[{s['hostname']}] lunash:>" if s["shell"]["prompt_host"] else "lunash:>"

    def _change_password(self):
        self.term.write(PASSWORD_BLOCK.format(user=self.user))
        while True:
            self.term.write("New password:")
            first = self.term.read_line(echo="none")
            self.term.write("Retype new password:")
            second = self.term.read_line(echo="none")
            kinds = sum(bool(re.search(p, first)) for p in ("[A-Z]", "[a-z]", "[0-9]", "[^A-Za-z0-9]"))
            if first == second and len(first) >= 8 and kinds >= 3:
                break
            self.term.write("\nBAD PASSWORD\n")
        with open(self.store.file("password.new"), "w", encoding="utf-8") as f:
            f.write(first + "\n")
        with self.store.change() as s:
            s["shell"]["must_change_password"] = False
        self.term.write("passwd: all authentication tokens updated successfully.\nPassword change successful.\n\n")

    # -- one command -----------------------------------------------------------------------------
    def execute(self, line):
        self.lines = 0
        try:
            words = shlex.split(line, posix=True)
            name, args = self.resolve(words)
            self.running = name
            if name == "exit":
                self.ended = True
                self.term.write("\nExiting...\n")
                return
            self._unexpected_question(name)
            if self.store.read()["fault"]["odd"] == name:
                self.say("\nThis release prints something else here.\n")
            else:
                self.commands[name](self, args)
            code = SUCCESS
        except ValueError:
            code = USAGE
            self.term.write("\nSyntax error.\n\n")
        except Fail as f:
            code = f.code
            if f.body:
                self.term.write(f.body + "\n")
        finally:
            self.term.protected = False
        if self.term.detached:
            raise Gone("connection lost")
        self.maybe_drop(self.running, "result")
        extra = "\n" * self.store.read()["shell"]["extra_blank_lines"]
        self.term.write(f"{extra}\nCommand Result : {code} ({RESULT_TEXT[code]})\n")
        self.store.log(f"lunash [{os.getpid()}]: info : {code} : Command: {without_code(line)}  : {self.user} : {self.peer}")

    def resolve(self, words):
        """Each word may be a unique prefix: 'sysconf ntp li'. Returns (full command, arguments)."""
        level = {name.split(" ")[0] for name in self.commands}
        so_far = []
        for i, word in enumerate(words):
            hits = [word] if word in level else sorted(n for n in level if n.startswith(word))
            if len(hits) != 1:
                break
            so_far.append(hits[0])
            name = " ".join(so_far)
            level = {n.split(" ")[len(so_far)] for n in self.commands if n.startswith(name + " ")}
            if name in self.commands and (not level or i + 1 == len(words) or words[i + 1].startswith("-")):
                return name, words[i + 1:]
        near = [n for n in sorted(self.commands) if n.startswith(" ".join(so_far))]
        raise Fail("\nSyntax Error: '" + " ".join(words) + "' is not a command.\n\nThe following are known:\n" +
                   "\n".join("    " + n for n in near) + "\n", USAGE)

    def complete(self, line):
        hits = [n for n in self.commands if n.startswith(line)]
        return os.path.commonprefix(hits)[len(line):] if hits else ""

    def options(self, args, **known):
        """known: force=0, authcode=1 (number of values). Unique prefixes work: -f, -a. Returns (values, rest)."""
        values, rest, i = {}, [], 0
        while i < len(args):
            if not args[i].startswith("-") or len(args[i]) == 1:
                rest.append(args[i])
                i += 1
                continue
            hits = [k for k in known if k == args[i][1:]] or [k for k in known if k.startswith(args[i][1:])]
            if len(hits) != 1:
                raise Fail(f"\nSyntax Error: option '{args[i]}' is not valid here.\n", USAGE)
            i += 1
            if known[hits[0]]:
                if i >= len(args):
                    raise Fail(f"\nSyntax Error: option '-{hits[0]}' needs a value.\n", USAGE)
                values[hits[0]] = args[i]
                i += 1
            else:
                values[hits[0]] = True
        return values, rest

    # -- building blocks of commands -------------------------------------------------------------
    def say(self, text="", seconds=0.0):
        """One or more body lines, then silence. Here a connection can be lost on request."""
        self.term.write(text + "\n")
        self.lines += 1
        self.maybe_drop(self.running, str(self.lines))
        if seconds:
            self.pause(seconds)

    def pause(self, seconds):
        s = self.store.read()
        idle = self.idle(s) if s["shell"]["silence_is_idle"] else None
        self.term.pause(seconds, idle)

    @staticmethod
    def idle(s):
        return s["times"]["idle"] if version(s["sw"]) >= (7, 7, 1) else None

    def maybe_drop(self, name, where):
        """fault.drop = 'package update@3' loses the connection after the third body line, '@result' before the result."""
        want = self.store.read()["fault"]["drop"]
        if want != f"{name}@{where}":
            return
        with self.store.change() as s:
            s["fault"]["drop"] = ""
        if self.store.read()["ssh"]["drop_hangs"] and self.peer != "Console":
            self.store_request("hang")
        self.term.hang_up()
        if not self.term.protected:
            raise Gone("dropped")

    def store_request(self, what):
        from .supervisor import request
        request(self.store, what)

    def protect(self):
        """From here on a lost client does not stop the operation (unless the lab says so)."""
        if self.store.read()["update"]["survives_loss"]:
            self.term.protected = True
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def ask(self, text, prompt="> ", after="Proceeding..."):
        """A proceed question; anything but 'proceed' leaves the command."""
        self.term.write(text + "\n" + prompt)
        answer = self.term.read_line(echo="line")
        while answer.strip() not in ("proceed", "quit"):
            self.term.write(prompt)
            answer = self.term.read_line(echo="line")
        if answer.strip() == "quit":
            raise Fail("Command cancelled.")
        if after:
            self.term.write(after + "\n")

    def _unexpected_question(self, name):
        want = self.store.read()["fault"]["question"]
        if want == name:
            self.ask("\nThe event store of this appliance holds entries of an unknown format.\n"
                     "They will be discarded. If you are sure that you wish to proceed, then type\n"
                     "'proceed', otherwise type 'quit'\n")

    def need_hsm(self):
        s = self.store.read()
        if s["hsm"]["dead"] or time.time() < s["hsm"]["answers_at"]:
            raise Fail("\nError:    Unable to communicate with HSM.\n"
                       "Please run 'hsm supportInfo' and contact customer support.\n")
        return s

    def need_so(self, command):
        s = self.need_hsm()
        if s["hsm"]["so"] != self.token:
            raise Fail(f"\nError:  '{command}' failed. (The HSM Administrator must be logged in.)\n\n"
                       "        Use 'hsm login'.\n")
        return s

    def need_idle(self):
        """Two sessions never change the appliance at once."""
        busy = self.store.read()["busy"]
        if busy:
            raise Fail(f"\nError:  '{self.running}' failed. Another operation is in progress: {busy}.\n")

    def failed(self, command, code):
        return Fail(f"\nError:  '{command}' failed. ({code})\n")

    def attend_ped(self, colour):
        return ped.attend(self.store, self.term, colour, version)


def without_code(line):
    return re.sub(r"(-a\S*\s+)\S+", r"\1****", line)


def open_shell(store, rfd, wfd, user, peer):
    """Runs one login on the two file descriptors until it ends."""
    from .commands import table
    s = store.read()
    idle = Shell.idle(s) if peer != "Console" else None
    term = Terminal(rfd, wfd, s["shell"]["columns"], s["shell"]["wrap_output"], idle)
    if peer != "Console" and not term.columns:
        term.columns = 0
    Shell(store, term, user, peer, table(s)).session()


def exec_or_shell(store, argv):
    """What sshd starts as the user's login shell: without arguments, or -c COMMAND."""
    from .transfer import run
    if len(argv) == 2 and argv[0] == "-c":
        return run(store, argv[1])
    peer = "/".join(os.environ.get("SSH_CONNECTION", "Console 0").split()[:2])
    open_shell(store, sys.stdin.fileno(), sys.stdout.fileno(), os.environ.get("USER", "admin"), peer)
    return 0
