"""Runs cases.json with the Python SDK: blocking, or with ``--async`` on asyncio. README.md says how."""

import asyncio
import base64
import concurrent.futures
import json
import os
import pickle
import re
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import hq_vault
from hq_vault import VaultSdkError
from hq_vault.aio import AsyncVaultClient

ON_LOOP = "--async" in sys.argv
KIND = AsyncVaultClient if ON_LOOP else hq_vault.VaultClient
RUN, PERSON = os.environ["HQV_RUN"], os.environ.get("HQV_PERSON")
TOKENS = {"admin": os.environ["HQ_VAULT_TOKEN"]}
SECRETS = {TOKENS["admin"], "canary-secret", "hunter2hunter2"}
CLIENTS = {}
LOOP = asyncio.new_event_loop()
SNAKE = {"ifAbsent": "if_absent", "ifVersion": "if_version", "maxUses": "max_uses", "timeoutSeconds": "timeout"}
FACTS = {"status": "status_code", "sent": "sent"}


def main():
    text = (Path(__file__).parent / "cases.json").read_text(encoding="utf-8").replace("$run", RUN)
    failed = 0
    for case in json.loads(text)["cases"]:
        if case.get("needs") == "person" and not PERSON:
            print(f"SKIP {case['name']}: HQV_PERSON is not set")
            continue
        try:
            for number, step in enumerate(case["steps"], 1):
                take(step, f"step {number}: ")
            print(f"ok {case['name']}")
        except Exception:
            failed = 1
            print(f"not ok {case['name']}: {traceback.format_exc(-3)}")
    for client in CLIENTS.values():
        client.close()
    LOOP.close()
    return failed


def take(step, where):
    if "python" in step.get("not", ()):
        return
    if isinstance(step.get("value"), str) and len(step["value"]) >= 8:
        SECRETS.add(step["value"])
    if "typed" in step:
        SECRETS.add(step["typed"])
    outcomes = together(step)
    for error, result in outcomes:
        hides(error or result, where)
    good = [result for error, result in outcomes if not error]
    if "succeed" in step:
        same(len(good), step["succeed"], f"{where}how many succeed")
    if "error" in step:
        assert "succeed" in step or not good, f"{where}it should have failed"
        for error, _ in outcomes:
            if error:
                matches(error, step["error"], where)
    elif outcomes[0][0]:
        raise outcomes[0][0]
    if good:
        expected(step, good[0], where)


def together(step):
    """What happens when the step is taken, as many times at once as it says."""
    times = step.get("times", 1)
    if ON_LOOP:
        async def on_loop():
            return await asyncio.gather(*[outcome(step) for _ in range(times)])

        return LOOP.run_until_complete(on_loop())
    if times == 1:
        return [finished(outcome(step))]
    with concurrent.futures.ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda _: finished(outcome(step)), range(times)))


def finished(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a blocking call waited")


async def outcome(step):
    try:
        result = call(step)
        return None, (await result if asyncio.iscoroutine(result) else result)
    except VaultSdkError as error:
        return error, None


def client(step):
    options = {"token": TOKENS[step.get("as", "admin")], **step.get("client", {})}
    key = json.dumps(options)
    if key not in CLIENTS:
        CLIENTS[key] = KIND(**options)
    return CLIENTS[key]


def call(step):
    options = {SNAKE.get(key, key): item for key, item in step.get("options", {}).items()}
    verb = re.sub("[A-Z]", lambda found: "_" + found[0].lower(), step["call"])
    if verb == "open":
        return KIND(token=slipped(TOKENS[step["of"]], step["slip"])) if "slip" in step else KIND(**options)
    act = getattr(client(step), verb)
    if verb == "get_secrets":
        return act(step.get("paths"), prefix=step.get("prefix"))
    if verb == "store_secret":
        return act(step["path"], value(step["value"]), **options)
    if verb == "list_secrets":
        return act(step["prefix"], **options)
    if verb == "create_token":
        return saving(act(**{SNAKE.get(key, key): item for key, item in step["token"].items()}), step)
    if verb == "revoke_token":
        return act(step["token"])
    if verb == "ingest":
        return act(step["path"], on_waiting=lambda waiting: answer(step, waiting), **options)
    return act(step["path"], **options)


def saving(made, step):
    async def wait():
        return keep(await made)

    def keep(created):
        TOKENS[step.get("saves", "")] = created.token
        SECRETS.add(created.token)
        return created

    return wait() if asyncio.iscoroutine(made) else keep(made)


def answer(step, waiting):
    """A person, who does what the step says with the entry's code."""
    hides(waiting, "waiting: ")
    if "person" in step:
        command = [PERSON, step["person"], waiting.code, step.get("typed", "")]
        threading.Thread(target=subprocess.run, args=(command,), kwargs={"check": True}).start()


def expected(step, result, where):
    assert step.get("shows", "") in repr(result), f"{where}{result!r}"
    for path in step.get("lacks", ()):
        part = result
        for key in path.split("."):
            part = part.get(key, {})
        same(part, {}, f"{where}{path}")
    if "expect" not in step:
        return
    wanted = step["expect"]
    if step["call"] == "getSecretBytes":
        same(base64.b64encode(result).decode(), wanted["base64"], where)
    elif step["call"] == "getSecret":
        same(result, value(wanted), where)
    elif step["call"] == "getSecrets":
        same(list(result.items()), list(wanted.items()), where)
    elif step["call"] == "listSecrets":
        same([entry["path"] for entry in result], wanted, where)
    elif step["call"] == "createToken":
        contains({"metadata": result.metadata}, wanted, where)
    else:
        contains(result, wanted, where)


def matches(error, wanted, where):
    same(error.code, wanted["code"], f"{where}code of {error.message}")
    for key, name in FACTS.items():
        if key in wanted:
            same(getattr(error, name), wanted[key], f"{where}{key}")
    if "requestId" in wanted:
        assert error.request_id.startswith("req_"), where
    if "actor" in wanted:
        assert error.actor, where
    assert wanted.get("says", "") in error.message, f"{where}{error.message}"


def contains(found, wanted, where):
    for key, part in wanted.items():
        if isinstance(part, dict):
            contains(found[key], part, f"{where}{key}.")
        else:
            same(found[key], part, f"{where}{key}")


def hides(thing, where):
    """Whatever prints it, no secret of this run is in it; nor in the frames of the SDK that an error came through."""
    if isinstance(thing, (str, bytes)):
        return
    texts = [str(thing), repr(thing), f"{thing}", json.dumps(thing, default=lambda part: getattr(part, "__dict__", repr(part)))]
    if isinstance(thing, VaultSdkError):
        assert thing.__cause__ is None and thing.__context__ is None, f"{where}it carries what caused it"
        report = traceback.TracebackException.from_exception(thing, capture_locals=True)
        own = [frame for frame in report.stack if f"{os.sep}hq_vault{os.sep}" in frame.filename]
        assert own, where
        texts += ["\n".join(traceback.StackSummary.from_list(own).format())]
    try:
        texts.append(pickle.dumps(thing).decode("latin-1"))
    except (TypeError, AttributeError, pickle.PicklingError):
        pass
    for text in texts:
        assert not any(secret in text for secret in SECRETS), f"{where}it shows a secret"


def slipped(token, slip):
    return {
        "cut": token[:-3],
        "longer": f"{token}A",
        # Neighbours that differ, or the swap would be none.
        "swapped": re.sub("([A-Z])([a-z0-9])", r"\2\1", token, count=1),
        "last": token[:-1] + ("0" if token[-1] == "z" else "z"),
        "session": f"hqs_{token[4:]}",
    }[slip]


def value(given):
    if isinstance(given, str):
        return given
    return base64.b64decode(given["base64"]) if "base64" in given else given["repeat"] * given["times"]


def same(found, wanted, where):
    assert found == wanted, f"{where}: found {str(found)[:300]}, expected {str(wanted)[:300]}"


if __name__ == "__main__":
    sys.exit(main())
