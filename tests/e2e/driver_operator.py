#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""The person of the manual transport: reads what hsmupgrade says, types it at the appliance's serial console, pastes
what comes back. usage: driver_operator.py APPLIANCE-DIR[,APPLIANCE-DIR...] PACKAGE CODE-FILE HSMUPGRADE ARGS..."""
import os
import re
import select
import shutil
import subprocess
import sys
import time

labs, package, code_file, *command = sys.argv[1:]
PROMPT = re.compile(r"lunash:>$")
INPUT = re.compile(r"(^|\n)\s*> ?$")


class Console:
    def __init__(self, lab):
        self.lab = lab
        self.fd = -1

    def login(self):
        if self.fd >= 0:
            try:
                self.talk("exit", [re.compile("Exiting")], 1)
            except (TimeoutError, OSError):
                pass    # it has rebooted meanwhile
            os.close(self.fd)
        end = time.monotonic() + 30
        while True:
            self.fd = os.open(os.path.join(self.lab, "serial"), os.O_RDWR | os.O_NOCTTY)
            try:
                if self.talk("", [re.compile("login as: $"), PROMPT], 2) == 0:
                    self.talk("admin", [re.compile("Password: $")])
                    with open(os.path.join(self.lab, "password"), encoding="ascii") as f:
                        self.talk(f.read().strip(), [PROMPT])
                return
            except TimeoutError:
                os.close(self.fd)
                self.fd = -1
                if time.monotonic() > end:
                    raise

    def talk(self, line, patterns, timeout=30.0):
        self.text = ""
        os.write(self.fd, line.encode() + b"\r")
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode("latin-1").replace("\r\n", "\n").replace("\r", "")
                except OSError:
                    time.sleep(0.2)
            for i, p in enumerate(patterns):
                if p.search(self.text):
                    return i
        raise TimeoutError(self.text)


def main():
    consoles = {os.path.basename(lab): Console(lab) for lab in labs.split(",")}
    console = next(iter(consoles.values()))
    driver = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = ""
    while True:
        block = os.read(driver.stderr.fileno(), 4096)
        if not block:
            break
        sys.stderr.buffer.write(block)
        sys.stderr.flush()
        seen += block.decode()
        for name in re.findall(r"^== (\w+): ", seen, re.MULTILINE):
            console = consoles[name]
        answer = None
        typed = re.search(r"single '\.'\):\n\n      (.*)\n\n", seen)
        if re.search(r"or type a single '\.'\n", seen):
            seen, answer = "", "."
            try:
                console.login()
            except (TimeoutError, OSError):
                answer = "lost"
        elif typed:
            seen = ""
            with open(code_file, encoding="ascii") as f:
                line = typed.group(1).replace("********", f.read().strip())
            try:
                console.talk(line, [PROMPT, INPUT], 20)
                answer = console.text
            except (TimeoutError, OSError):
                answer = "lost"
        elif "Type 'done' when it is so:" in seen:
            if "3 of 3" in seen:
                shutil.copy(package, os.path.join(console.lab, "files"))
            seen, answer = "", "done"
        if answer is not None:
            driver.stdin.write(answer.encode() + b"\n")
            driver.stdin.flush()
    sys.exit(driver.wait())


main()
