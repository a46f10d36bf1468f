# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""The chassis: keeps sshd and the serial line up, and takes them down when the appliance boots.

One process per appliance, in a mount namespace of its own where /etc/passwd, /etc/shadow and PAM's file for sshd are
the appliance's: its accounts log in with real passwords and do not exist outside. It sleeps in select() on a datagram
socket (DIR/ctl) and on the next due time; whoever wants something of it sends a word there.
"""
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

from . import profiles
from .serial import SerialLine
from .state import version

SSHD = "/usr/sbin/sshd"
HERE = os.path.dirname(os.path.abspath(__file__))
LUNA = os.path.join(os.path.dirname(HERE), "luna")


def request(store, word):
    """Tells the chassis something: reboot, reboot-now, poweroff, power-on, network, hang, signer, down."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(f"/proc/self/fd/{_dir_fd(store)}/ctl")
        s.send(f"{word} {os.getpid()}".encode())


def _dir_fd(store):
    """Socket paths are short: reach it through the directory's descriptor."""
    if not hasattr(store, "dir_fd"):
        store.dir_fd = os.open(store.dir, os.O_RDONLY | os.O_CLOEXEC)
    return store.dir_fd


def signer_word(s):
    """What the CA's key store sees: away (no answer, zeroized), deactivated (black key missing), ready."""
    if s["power"] != "on" or s["hsm"]["dead"] or time.time() < s["hsm"]["answers_at"] or not s["partitions"]:
        return "away"
    return "ready" if all(p["active"] for p in s["partitions"]) else "deactivated"


def tell_signer(store):
    """Runs signer.command WORD when the word has changed. The command is the lab CA's switch of its key store."""
    s = store.read()
    word = signer_word(s)
    if word == s["signer"]["last"]:
        return
    with store.change() as s:
        s["signer"]["last"] = word
    command = s["signer"]["command"]
    if command:
        done = subprocess.run(command.split() + [word], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=False, timeout=30)
        store.log(f"signer: {word}: exit {done.returncode} {done.stderr.decode(errors='replace').strip()}")


class Chassis:
    def __init__(self, store):
        self.store = store
        self.sshd = None
        self.serial = SerialLine(store)
        self.due = []       # (time, function)
        self.ctl = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = f"/proc/self/fd/{_dir_fd(store)}/ctl"
        if os.path.exists(store.file("ctl")):
            os.unlink(store.file("ctl"))
        self.ctl.bind(path)

    # -- accounts and sshd -----------------------------------------------------------------------
    def private_etc(self):
        """Bind-mounts the appliance's own account files over the machine's, for this process and its children only."""
        root = self.store.file("etc")
        os.makedirs(root, exist_ok=True)
        shell = self._login_shell()
        users = ["admin", "operator", "monitor"]
        with open(os.path.join(root, "passwd"), "w", encoding="utf-8") as f:
            f.write("root:x:0:0:root:/root:/bin/sh\nsshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n")
            f.writelines(f"{u}:x:0:0::{self.store.file('files')}:{shell}\n" for u in users)
        self.write_shadow()
        with open(os.path.join(root, "pam"), "w", encoding="utf-8") as f:
            f.write("auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n")
        for mine, theirs in (("passwd", "/etc/passwd"), ("shadow", "/etc/shadow"), ("pam", "/etc/pam.d/sshd")):
            subprocess.run(["mount", "--bind", os.path.join(root, mine), theirs], check=True)
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)

    def _login_shell(self):
        path = self.store.file("lunash")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\nexec {sys.executable} -S "{LUNA}" shell "{self.store.dir}" "$@"\n')
        os.chmod(path, 0o755)
        return path

    def write_shadow(self):
        hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=self.store.text("password") + "\n",
                                capture_output=True, text=True, check=True).stdout.strip()
        path = self.store.file("etc", "shadow")
        with open(path, "w", encoding="utf-8") as f:     # in place: the file itself is mounted
            f.write(f"root:*:1::::::\nsshd:*:1::::::\nadmin:{hashed}:1::::::\noperator:!:1::::::\nmonitor:{hashed}:1::::::\n")
        os.chmod(path, 0o600)

    def host_key(self):
        path = self.store.file("hostkey")
        if not os.path.exists(path):
            subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "lab", "-f", path], check=True)

    def config(self):
        s = self.store.read()
        how = s["ssh"]["auth"]
        lines = [f"Port {s['ssh']['port']}", "ListenAddress 127.0.0.1", f"HostKey {self.store.file('hostkey')}",
                 f"PidFile {self.store.file('sshd.pid')}", "PermitRootLogin yes", "StrictModes no", "PrintLastLog no",
                 "PrintMotd no", "UseDNS no", "AllowTcpForwarding no", "X11Forwarding no",
                 f"UsePAM {'yes' if how == 'keyboard-interactive' else 'no'}",
                 f"PasswordAuthentication {'yes' if how == 'password' else 'no'}",
                 f"KbdInteractiveAuthentication {'yes' if how == 'keyboard-interactive' else 'no'}",
                 f"PubkeyAuthentication yes", f"AuthorizedKeysFile {self.store.file('authorized_keys')}",
                 f"LoginGraceTime {s['ssh']['login_grace']}", "ClientAliveInterval 5", "ClientAliveCountMax 3",
                 "Subsystem sftp luna-sftp", "LogLevel VERBOSE"] + profiles.SSHD[s["profile"]]
        path = self.store.file("sshd_config")
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def reachable(self, s):
        """From 7.7.0 a second default route takes the appliance off the network."""
        return version(s["sw"]) < (7, 7, 0) or sum(r[0] == "0.0.0.0" for r in s["routes"]) < 2

    def ssh_up(self):
        s = self.store.read()
        if self.sshd or s["power"] != "on" or not self.reachable(s):
            return
        self.host_key()
        with open(self.store.file("sshd.log"), "ab") as log:
            self.sshd = subprocess.Popen([SSHD, "-D", "-e", "-f", self.config()], stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=log)

    def sessions(self):
        """Every process below our sshd, children first."""
        kids = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                    kids.setdefault(int(f.read().rpartition(")")[2].split()[1]), []).append(int(pid))
            except (FileNotFoundError, ProcessLookupError):
                continue
        found, todo = [], [self.sshd.pid] if self.sshd else []
        while todo:
            for kid in kids.get(todo.pop(), []):
                found.append(kid)
                todo.append(kid)
        return found

    def ssh_down(self):
        if not self.sshd:
            return
        pids = self.sessions()
        self.sshd.kill()
        self.sshd.wait()
        self.sshd = None
        for pid in pids:
            _kill(pid, signal.SIGKILL)

    # -- power -----------------------------------------------------------------------------------
    def going_down(self, now):
        """reboot: the result line still gets out, then everything stops."""
        t = self.store.read()["times"]
        self.at(0 if now else max(0.1, t["shutdown"]), self.down_and_boot)

    def down_and_boot(self):
        with self.store.change() as s:
            s["power"], s["busy"] = "booting", ""
        self.ssh_down()
        self.serial.stop()
        tell_signer(self.store)
        s = self.store.read()
        if not s["boot"]["never"]:
            self.at(s["times"]["boot"], self.up)

    def up(self):
        with self.store.change() as s:
            boot(s)
        if s["boot"]["new_host_key"]:
            for name in ("hostkey", "hostkey.pub"):
                if os.path.exists(self.store.file(name)):
                    os.unlink(self.store.file(name))
        if os.path.exists(self.store.file("password.new")):
            os.replace(self.store.file("password.new"), self.store.file("password"))
            self.write_shadow()
        self.serial.start()
        self.ssh_up()
        self.at(s["times"]["hsm_start"] + 0.05, lambda: tell_signer(self.store))

    def poweroff(self):
        with self.store.change() as s:
            s["power"] = "off"
        self.ssh_down()
        self.serial.stop()
        tell_signer(self.store)

    # -- loop ------------------------------------------------------------------------------------
    def at(self, seconds, what):
        self.due.append((time.monotonic() + seconds, what))
        self.due.sort(key=lambda d: d[0])

    def hang(self):
        """The network goes silent: the sessions stay open and answer nothing."""
        for pid in self.sessions():
            _kill(pid, signal.SIGSTOP)

    def word(self, text):
        word = text.split()[0] if text else ""
        if word == "down":
            return False
        actions = {"reboot": lambda: self.going_down(False), "reboot-now": lambda: self.going_down(True),
                   "poweroff": lambda: self.at(0.2, self.poweroff), "power-on": lambda: self.at(0, self.power_on),
                   "network": lambda: self.at(0.2, self.ssh_up), "hang": self.hang, "cut": self.cut,
                   "signer": self.signer, "ssh": self.restart_ssh}
        if word in actions:
            actions[word]()
        return True

    def cut(self):
        """All connections are lost at once; the appliance itself stays up."""
        for pid in self.sessions():
            _kill(pid, signal.SIGKILL)

    def signer(self):
        tell_signer(self.store)
        left = self.store.read()["hsm"]["answers_at"] - time.time()
        if left > 0:
            self.at(left + 0.05, lambda: tell_signer(self.store))

    def restart_ssh(self):
        self.ssh_down()
        self.write_shadow()
        self.ssh_up()

    def power_on(self):
        with self.store.change() as s:
            s["boot"]["never"] = False
        if s["power"] != "on":
            self.up()

    def run(self):
        self.private_etc()
        self.serial.start()
        self.ssh_up()
        tell_signer(self.store)
        running = True
        while running:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else None
            ready, _, _ = select.select([self.ctl], [], [], wait)
            if ready:
                running = self.word(self.ctl.recv(256).decode())
            while self.due and self.due[0][0] <= time.monotonic():
                self.due.pop(0)[1]()
        self.ssh_down()
        self.serial.stop()


def boot(s):
    """What a boot changes in the state."""
    s["power"], s["busy"] = "on", ""
    s["boots"] += 1
    if s["sw_pending"] and not s["boot"]["old_firmware"]:
        s["sw"] = s["sw_pending"]
    s["sw_pending"] = ""
    s["hsm"]["so"] = ""
    s["hsm"]["answers_at"] = time.time() + s["times"]["hsm_start"]
    for p in s["partitions"]:
        p["active"] = p["active"] and (p["auto"] or not p["activation"]) and not s["hsm"]["tamper"]


def _kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wipe(store):
    shutil.rmtree(store.dir, ignore_errors=True)
