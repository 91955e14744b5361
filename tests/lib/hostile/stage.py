#!/usr/bin/env python3
"""The stage for the hostile agent: a vault, and its owner at a terminal whose shell is signed in. The agent is a
background job of that shell. It says what the owner shall do next (a person does such things), and after each
attempt what it got; whether it has got the value is judged here.

    stage.py SECURITY.md TABLE      (writes `state TAB attempt TAB result` lines to TABLE)
"""

import base64
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import struct
import sys
import termios
import time

HERE = pathlib.Path(__file__).resolve().parent
HOME = pathlib.Path(os.environ["HOME"])
PASSPHRASE = "correct horse battery staple"
VALUE = "canary-4f1d-hostile-7c2e-value"
PROMPT = "owner> "
PATIENCE = 30
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\r")


class Owner:
    """A person at a terminal of his own, in an interactive bash."""

    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1=PROMPT, TERM="xterm", HISTFILE=str(HOME / "history"))
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.text, self.at, self.settled = "", 0, 0
        self.wait(PROMPT)

    def wait(self, wanted, seconds=PATIENCE):
        """Whether it was shown, after what was waited for before."""
        end = time.monotonic() + seconds
        while (found := self.text.find(wanted, self.at)) < 0:
            if not select.select([self.fd], [], [], max(end - time.monotonic(), 0))[0]:
                return False
            try:
                more = os.read(self.fd, 65536)
            except OSError:
                return False
            self.text += COLOURS.sub("", more.decode("utf-8", "replace"))
        self.at = found + len(wanted)
        return True

    def type(self, text):
        os.write(self.fd, text.encode())

    def command(self, line, until=PROMPT):
        before = self.at
        self.type(line + "\n")
        if not self.wait(until):
            raise TimeoutError(f"{line}: waited for {until!r}\n{self.text[before:][-1500:]}")
        return self.text[before : self.at]

    def settle(self):
        """Back at the prompt, whatever was going on, with nothing more to come."""
        self.type("\x03")
        if not self.wait(PROMPT, 5):
            for pid in children(self.pid):
                if b"hq-vault" in name(pid):
                    os.kill(pid, signal.SIGKILL)
        self.settled += 1
        self.type(f"\necho settled-$(({self.settled} + 0))-\n")
        if not (self.wait(f"settled-{self.settled}-") and self.wait(PROMPT)):
            raise TimeoutError("the owner's shell does not come back\n" + self.text[-1500:])


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Stage:
    def __init__(self, security, table):
        self.security = re.sub(r"\s+", " ", pathlib.Path(security).read_text())
        self.table = open(table, "w", buffering=1)
        self.owner = Owner()
        self.owner.command('eval "$(hq-vault shell-init bash)"')
        self.owner.command("hq-vault unlock", "Passphrase for")
        self.owner.command(PASSPHRASE)

    # What the agent may have the owner do.

    def begin(self, line, until):
        """Types a command and waits for its question."""
        shown = self.owner.command(line, until)
        return {"shell": self.owner.pid, "tty": os.readlink(f"/proc/{self.owner.pid}/fd/0"), "shown": shown}

    def keys(self, text):
        self.owner.type(text.replace("VALUE", VALUE))
        return {}

    def shown(self, text):
        return {"shown": self.owner.wait(text, 5)}

    def command(self, line):
        return {"text": self.owner.command(line)}

    def finish(self, text, settle=True):
        """Types the rest and Enter; whether the shell's prompt came back by itself. Else it is brought back."""
        before = self.owner.at
        self.owner.type(text.replace("VALUE", VALUE) + "\n")
        done = self.owner.wait(PROMPT, 10)
        said = self.owner.text[before:]
        if settle and not done:
            self.owner.settle()
        return {"done": done, "shown": said.replace(VALUE, "(the value)")}

    def settle(self):
        self.owner.settle()
        return {}

    def report(self, attempt, won, broken, note, loot, stands, way):
        loot = base64.b64decode(loot)
        # Eight letters in a row are no accident.
        won = won or any(VALUE[at : at + 8].encode() in loot for at in range(len(VALUE) - 7))
        if broken:
            state, result = "not ok", note
        elif not won:
            state, result = "ok", f"refused: {note or 'the value is not in it'}"
        elif stands and re.sub(r"\s+", " ", stands) in self.security:
            state, result = "ok", f'stands in SECURITY.md ("{stands}"); way out: {way}'
        elif stands:
            state, result = "not ok", f'GOT IT, and SECURITY.md has no "{stands}"'
        else:
            state, result = "not ok", f"GOT IT: {note}"
        # Whoever breaks the vault for its owner has won too.
        if ill := self.ill():
            state, result = "not ok", f"{result}; afterwards the owner was not served: {ill}"
        self.table.write("\t".join((state, attempt, re.sub(r"\s+", " ", result))) + "\n")
        return {"won": won}

    def ill(self):
        """What the owner gets instead of the right value, from a daemon that has run since the beginning."""
        said = self.owner.command("HQ_VAULT_AUTOSTART=0 hq-vault get prod/key | sha256sum")
        return "" if hashlib.sha256(VALUE.encode()).hexdigest() in said else said[-300:]

    def serve(self):
        path = HOME / "stage.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)
        self.owner.command(f"python3 {HERE}/agent.py {path} > {HOME}/agent.log 2>&1 &")
        listener.settimeout(PATIENCE)
        lines = listener.accept()[0].makefile("rw")
        for line in lines:
            call = json.loads(line)
            answer = getattr(self, call.pop("do"))(**call)
            lines.write(json.dumps(answer) + "\n")
            lines.flush()


if __name__ == "__main__":
    Stage(*sys.argv[1:]).serve()
