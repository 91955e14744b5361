"""How an attempt is written: a function that gives the loot (bytes, searched for the value by the stage), gives
True where it has won otherwise, or raises Refused or an OSError with the reason."""

import re
import subprocess
from dataclasses import dataclass
from typing import Callable

ATTEMPTS = []
# What is to be put right after an attempt, so that it does not fill the house for the next.
AFTERWARDS = []

CLEAN = "type the value with `answer` in a terminal where no agent was started"
APART = "a user of its own for agents, or a vault on another host"


class Refused(Exception):
    """What was tried did not work; why."""


class Won(Exception):
    """It worked; what came of it."""


@dataclass
class Attempt:
    name: str
    run: Callable
    stands: str
    way: str


def attempt(name, stands="", way=APART):
    """`stands`: where it may work, the words of SECURITY.md that say so."""

    def add(run):
        ATTEMPTS.append(Attempt(name, run, stands, way))
        return run

    return add


def refused_with(answer, *allowed):
    """Refused for these statuses; anything else is a win."""
    status, body = answer
    code = body.get("code", "") if isinstance(body, dict) else ""
    raise (Refused if status in allowed else Won)(f"{status} {code}".strip())


def cli(*words, **more):
    """Our program as the agent runs it: pipes, no terminal on stdin."""
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(["hq-vault", *words], capture_output=True, timeout=60, **more)


def refused_exit(done, *codes):
    """Refused for these exit codes, with what was said; else what it said is the loot."""
    if done.returncode in codes:
        raise Refused(said_by(done))
    if done.returncode == 0:
        return done.stdout + done.stderr
    raise Won(said_by(done))


def said_by(done):
    """Exit code and sentence."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", (done.stderr or done.stdout or b"").decode("utf-8", "replace"))
    lines = text.strip().splitlines()
    sentence = next((line for line in lines if line.startswith("hq-vault:")), lines[-1] if lines else "")
    return f"exit {done.returncode}: {sentence.removeprefix('hq-vault: ')}"
