#!/usr/bin/env python3
"""The hostile agent. A background job of the owner's shell, of the same user, with nothing but what a shell
gives: no token, no session. Runs every attempt of the four modules and reports each to the stage."""

import base64
import json
import socket
import sys
import traceback

import asks
import floods
import page
import session
import typing_in
from attempts import AFTERWARDS, ATTEMPTS, Refused, Won


class Agent:
    """What an attempt is handed: the way to have the owner do something."""

    def __init__(self, path):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        self.lines = connection.makefile("rw")

    def owner(self, do, **what):
        self.lines.write(json.dumps({"do": do, **what}) + "\n")
        self.lines.flush()
        answer = self.lines.readline()
        if not answer:
            raise SystemExit("the stage is gone")
        return json.loads(answer)


def main():
    agent = Agent(sys.argv[1])
    typing_in.tools_work()
    # Floods fill the house for ten minutes: they come last.
    for attempt in sorted(ATTEMPTS, key=lambda attempt: attempt.run.__module__ == "floods"):
        won, broken, note, loot = False, False, "", b""
        try:
            loot = attempt.run(agent) or b""
            won = loot is True
            loot = loot if isinstance(loot, bytes) else b""
        except Refused as why:
            note = str(why)
        except Won as why:
            won, note = True, str(why)
        except (OSError, EOFError) as why:
            note = str(getattr(why, "strerror", "") or why)
        except Exception:  # a broken attempt shows nothing
            broken, note = True, "the attempt itself failed: " + traceback.format_exc()[-400:]
        loot = base64.b64encode(loot).decode()
        while AFTERWARDS:
            AFTERWARDS.pop()(agent)
        said = {"won": won, "broken": broken, "note": note, "loot": loot}
        agent.owner("report", attempt=attempt.name, stands=attempt.stands, way=attempt.way, **said)


# Imported for what they register.
assert asks and page and session and typing_in and floods

if __name__ == "__main__":
    main()
