"""Reads one secret for each line of JSON {env, timeout, connect} with the Python SDK, and says what happened."""

import asyncio
import json
import os
import sys
import traceback

import hq_vault
from hq_vault.aio import AsyncVaultClient


async def on_loop(timeout, connect):
    client = AsyncVaultClient(timeout=timeout, connect_timeout=connect)
    try:
        return client, await client.get_secret("a/b")
    finally:
        client.close()


def blocking(timeout, connect):
    with hq_vault.VaultClient(timeout=timeout, connect_timeout=connect) as client:
        return client, client.get_secret("a/b")


for line in sys.stdin:
    told = json.loads(line)
    os.environ.clear()
    os.environ.update(told["env"])
    try:
        timeout, connect = told["timeout"], told["connect"]
        client, value = asyncio.run(on_loop(timeout, connect)) if "--async" in sys.argv else blocking(timeout, connect)
        said = {"value": value, "shown": repr(client)}
    except hq_vault.VaultSdkError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        own = [frame for frame in report.stack if f"{os.sep}hq_vault{os.sep}" in frame.filename]
        frames = "".join(traceback.StackSummary.from_list(own).format())
        said = {"code": error.code, "message": error.message, "sent": error.sent, "shown": f"{error}\n{error!r}\n{frames}"}
    print(json.dumps(said), flush=True)
