"""get_secret over a kept connection against the same request by http.client, in turns. Fails above 1.3.

    speed.py HOST PORT CA PATH [ROUNDS]
"""

import asyncio
import http.client
import json
import os
import ssl
import statistics
import sys
import time

import hq_vault
from hq_vault.aio import AsyncVaultClient

host, port, ca, path = sys.argv[1:5]
rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 40
headers = {"Authorization": f"Bearer {os.environ['HQ_VAULT_TOKEN']}"}
line = http.client.HTTPSConnection(host, int(port), context=ssl.create_default_context(cafile=ca))
client = hq_vault.VaultClient(url=f"https://{host}:{port}")
loop = asyncio.new_event_loop()
on_loop = AsyncVaultClient(url=f"https://{host}:{port}")


def raw(times=25):
    for _ in range(times):
        line.request("GET", f"/v1/secrets/{path}", headers=headers)
        json.loads(line.getresponse().read())["value"]


def sdk():
    for _ in range(25):
        client.get_secret(path)


async def sdk_on_loop():
    for _ in range(25):
        await on_loop.get_secret(path)


async def raw_on_loop():
    # The platform has no HTTP client for asyncio but this one in a thread.
    for _ in range(25):
        await asyncio.to_thread(raw, 1)


def measured(call):
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 40_000


calls = {
    "raw": raw,
    "SDK": sdk,
    "raw in a thread": lambda: loop.run_until_complete(raw_on_loop()),
    "SDK on asyncio": lambda: loop.run_until_complete(sdk_on_loop()),
}
times = {name: [] for name in calls}
for turn in range(-3, rounds):
    # Whoever is first in a round changes, so that neither is always warmed by the other.
    for name in sorted(calls, reverse=turn % 2 == 0):
        taken = measured(calls[name])
        if turn >= 0:
            times[name].append(taken)
on_loop.close()
loop.close()
words = ", ".join(f"{name} {statistics.median(taken):.0f} us" for name, taken in times.items())


def ratio(one, other):
    """The median of what each round says: its parts are neighbours in time, so that other work stretches all alike."""
    return statistics.median(a / b for a, b in zip(times[one], times[other]))


ratios = [ratio("SDK", "raw"), ratio("SDK on asyncio", "raw in a thread")]
print(f"python {sys.version.split()[0]}: {words}; {ratios[0]:.2f} x, asyncio {ratios[1]:.2f} x")
sys.exit(max(ratios) > 1.3)
