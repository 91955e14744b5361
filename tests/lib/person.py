#!/usr/bin/env python3
"""A person at a terminal: reads what to do from stdin, line by line.

    $ COMMAND   waits for the prompt of PS1, then types the command and Enter
    > TEXT      types the text and Enter
    ? TEXT      waits until the text is shown, after what was waited for before
    ^ LETTER    types Ctrl-LETTER
    ! COMMAND   runs a command outside the terminal, to tell somebody how far it is

    person.py TRANSCRIPT PROGRAM ARGUMENT...   (its prompt is `person> `)

Everything shown goes to TRANSCRIPT as it comes. Ends with the program's exit code when the lines and the
program have ended; where a wait is in vain it says for what, and ends with 99. Nothing sleeps: each wait ends
with the event or, for a hung program, after a minute.
"""

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

PATIENCE = 60
PROMPT = "person> "
ROWS, COLUMNS = 40, 120
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\r")


class Gone(Exception):
    """The program ended while something was waited for."""


class Terminal:
    def __init__(self, program, transcript):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Colours as on any terminal, and a prompt to wait for.
            os.environ.update(PS1=PROMPT, TERM="xterm-256color")
            os.environ.pop("NO_COLOR", None)
            os.execvp(program[0], program)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.transcript = open(transcript, "wb", buffering=0)
        self.raw = b""
        self.at = 0

    def text(self):
        return COLOURS.sub("", self.raw.decode("utf-8", "replace"))

    def read(self, seconds):
        """One read; False at the end of the program or of the time."""
        if not select.select([self.fd], [], [], max(seconds, 0))[0]:
            return False
        try:
            more = os.read(self.fd, 65536)
        except OSError:  # how a terminal whose program is gone says so
            more = b""
        self.transcript.write(more)
        self.raw += more
        if not more:
            raise Gone
        return True

    def wait(self, wanted):
        end = time.monotonic() + PATIENCE
        while True:
            found = self.text().find(wanted, self.at)
            if found >= 0:
                self.at = found + len(wanted)
                return
            if not self.read(end - time.monotonic()):
                raise TimeoutError(wanted)

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def finish(self, seconds=PATIENCE):
        """The program's exit code, once it has ended; it is ended where it does not."""
        end = time.monotonic() + seconds
        try:
            while self.read(end - time.monotonic()):
                pass
            os.kill(self.pid, 9)
        except Gone:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def act(terminal, line):
    kind, _, text = line.partition(" ")
    if kind == "$":
        terminal.wait(PROMPT)
        terminal.type(text + "\n")
    elif kind == ">":
        terminal.type(text + "\n")
    elif kind == "?":
        terminal.wait(text)
    elif kind == "^":
        terminal.type(chr(ord(text.upper()) & 0x1F))
    elif kind == "!":
        subprocess.run(text, shell=True, check=True)
    else:
        raise SystemExit(f"person.py: cannot read {line!r}")


def main():
    transcript, *program = sys.argv[1:]
    terminal = Terminal(program, transcript)
    for line in sys.stdin:
        line = line.rstrip("\n")
        if not line:
            continue
        try:
            act(terminal, line)
        except (Gone, TimeoutError):
            print(f"waited in vain: {line}\n--- shown so far:\n{terminal.text()[-2000:]}", file=sys.stderr)
            terminal.finish(seconds=0)
            return 99
    return terminal.finish()


if __name__ == "__main__":
    sys.exit(main())
