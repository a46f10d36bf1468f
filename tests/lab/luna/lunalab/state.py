# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""What the appliance knows, in one JSON file.

Every shell, the supervisor and the test's own `luna set` are separate processes, so each change is: lock, read, change,
write a temporary file, rename. A kill at any moment leaves the old or the new state, never half of one.
"""
import contextlib
import fcntl
import json
import os
import time

FILE = "state.json"


class State:
    def __init__(self, directory):
        self.dir = os.path.abspath(directory)
        self.path = os.path.join(self.dir, FILE)

    def read(self):
        with open(self.path, encoding="utf-8") as f:
            return json.load(f)

    def write(self, data):
        temporary = f"{self.path}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as f:
            json.dump(data, f, indent=1, sort_keys=True)
            f.write("\n")
        os.replace(temporary, self.path)

    @contextlib.contextmanager
    def change(self):
        """with state.change() as s: s["hsm"]["label"] = "x" -- nothing is written when the block raises."""
        with open(self.path + ".lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            data = self.read()
            yield data
            self.write(data)

    def file(self, *parts):
        return os.path.join(self.dir, *parts)

    def log(self, line):
        with open(self.file("lunalogs"), "a", encoding="utf-8") as f:
            f.write(time.strftime("%Y %b %d %H:%M:%S ", time.gmtime()) + line + "\n")

    def text(self, name, default=""):
        try:
            with open(self.file(name), encoding="utf-8") as f:
                return f.read().strip()
        except FileNotFoundError:
            return default


def lookup(data, key):
    """('hsm.label') -> (dict that holds it, last part). Unknown keys are an error: a test with a typo must not pass."""
    parts = key.split(".")
    here = data
    for part in parts[:-1]:
        if not isinstance(here, dict) or part not in here:
            raise KeyError(key)
        here = here[part]
    if not isinstance(here, dict) or (parts[-1] not in here and parts[0] != "files"):
        raise KeyError(key)
    return here, parts[-1]


def convert(old, text):
    """A value typed on the command line, in the type of the value it replaces."""
    if isinstance(old, bool):
        if text.lower() not in ("yes", "no", "true", "false", "1", "0"):
            raise ValueError(f"expected yes or no, found '{text}'")
        return text.lower() in ("yes", "true", "1")
    if isinstance(old, int):
        return int(text)
    if isinstance(old, float):
        return float(text)
    if isinstance(old, (list, dict)):
        return json.loads(text)
    return text


def version(text):
    """'7.7.1-20' -> (7, 7, 1); the build number takes no part in any rule of the appliance."""
    return tuple(int(p) for p in text.split("-")[0].split("."))
