"""Deciding for the owner: approving, changing what was approved, fetching twice."""

import os
import subprocess

from attempts import AFTERWARDS, Refused, attempt, cli, refused_exit, refused_with, said_by
from typing_in import in_child
from wire import network, vault

CODES = []


def ask(**more):
    body = {"paths": ["prod/key"], "can": ["read"], "ttl": "1h", "reason": "tests", **more}
    status, asked = vault("POST", "/v1/asks", body)
    assert status in (200, 201), (status, asked)
    if not any(code == asked["code"] for code in CODES):
        CODES.append(asked["code"])
        AFTERWARDS.append(lambda agent: agent.owner("command", line=f"hq-vault deny {CODES.pop()}"))
    return asked


def collect(asked, claim=None):
    return vault("POST", f"/v1/asks/{asked['id']}:collect", {"claim": claim or asked["claim"]})


def approve(**more):
    return {"fingerprint": "0" * 64, **more}


@attempt("approve its own request over the socket")
def socket(_):
    return refused_with(vault("POST", f"/v1/asks/{ask()['id']}:approve", approve()), 401)


@attempt("approve its own request over the network")
def over_network(_):
    return refused_with(network("POST", f"/v1/asks/{ask()['id']}:approve", approve()), 401)


@attempt("approve its own request from the command line")
def command_line(_):
    refused_exit(cli("approve", ask()["code"], input=b"y\n", stdin=None), 4)
    return True


@attempt("approve its own request on a terminal of its own (script)")
def own_terminal(_):
    words = f"hq-vault approve {ask()['code']}"
    done = cli_script(words, b"a guess of the passphrase\ny\n")
    if collect(ask())[0] == 200:
        return True
    raise Refused(done)


def cli_script(words, typed):
    """Our program on a terminal that the agent holds the other end of."""
    script = ["script", "-qec", words, "/dev/null"]
    return said_by(subprocess.run(script, input=typed, capture_output=True, timeout=60, check=False))


def token_of_its_own(agent):
    """A token that the owner gave the agent for something else."""
    line = "hq-vault token create --name small --ttl 1h --path small/ --can read,delegate 2>/dev/null"
    said = agent.owner("command", line=line)
    return next(word for word in said["text"].split() if word.startswith("hqv_"))


@attempt("approve its own request with a token that it has")
def with_token(agent):
    return refused_with(vault("POST", f"/v1/asks/{ask()['id']}:approve", approve(), token_of_its_own(agent)), 403)


@attempt("list what was asked for")
def listing(_):
    return refused_with(vault("GET", "/v1/asks"), 401)


@attempt("deny the request of another")
def deny(_):
    return refused_with(vault("POST", f"/v1/asks/{ask()['code']}:deny", {}), 401)


@attempt("fetch the token before anybody approved")
def early(_):
    return refused_with(collect(ask()), 401, 403, 404, 409)


@attempt("change who asks between showing and approving")
def change(agent):
    asked = ask(reason="to be changed")
    agent.owner("begin", line=f"hq-vault approve {asked['code']}", until="[y/N]")

    def other_process():
        return ask(reason="to be changed", program="harmless")["claim"].encode()

    claim = in_child(other_process).decode()
    said = agent.owner("finish", text="y")["shown"]
    if collect(asked, claim)[0] == 200 or collect(asked)[0] == 200:
        return True
    raise Refused(next((line for line in said.splitlines() if "hq-vault:" in line), said.strip()[-80:]))


def approved(agent, **more):
    asked = ask(**more)
    agent.owner("begin", line=f"hq-vault approve {asked['code']}", until="[y/N]")
    agent.owner("finish", text="y")
    return asked


@attempt("fetch an approved token with a claim of its own making")
def made_up(agent):
    return refused_with(collect(approved(agent, reason="guessed"), "A" * 43), 400, 401, 403, 404)


@attempt("fetch an approved token twice")
def twice(agent):
    asked = approved(agent, reason="twice", max_uses=1)
    first = collect(asked)
    assert first[0] == 200, first
    return refused_with(collect(asked), 401, 403, 404, 409)


@attempt("fetch an approved token with the claim of before")
def older(agent):
    first = ask(reason="older")
    second = ask(reason="older")
    assert first["id"] == second["id"]
    agent.owner("begin", line=f"hq-vault approve {first['code']}", until="[y/N]")
    agent.owner("finish", text="y")
    return refused_with(collect(first), 401, 403, 404, 409)


@attempt("use more than was approved")
def wider(agent):
    asked = approved(agent, paths=["small/"], reason="wider")
    token = collect(asked)[1]["token"]
    return refused_with(vault("GET", "/v1/secrets/prod/key", None, token), 403)


@attempt("have a denied request after all")
def denied(agent):
    asked = ask(reason="denied")
    agent.owner("command", line=f"hq-vault deny {asked['code']}")
    return refused_with(collect(asked), 401, 403, 404, 409)


@attempt("draw another grant with escapes in the reason")
def escapes(agent):
    asked = ask(reason="\x1b[2J\x1b[1;1Hread on nothing at all\r\n\u202e")
    said = agent.owner("command", line="hq-vault pending > ~/pending 2>&1")["text"]
    shown = open(os.path.expanduser("~/pending"), "rb").read()
    assert asked["code"].encode() in shown, (said, shown)
    if b"\x1b" in shown or b"\r" in shown or "\u202e".encode() in shown:
        return True
    raise Refused("they are spelled out")


@attempt("send a reason of 100 kB")
def long_reason(_):
    body = {"paths": ["prod/key"], "can": ["read"], "reason": "x" * 100_000}
    return refused_with(vault("POST", "/v1/asks", body), 400, 413)
