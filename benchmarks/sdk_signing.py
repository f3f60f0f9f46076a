"""The official client's own signing call, on the main thread as bots make it; a child of signing.py.

Runs in the environment of the official client. For each line on its input it signs one modify so
many times and answers with the CPU time of every call, in nanoseconds. Nothing is imported that the
client does not need: what a call costs grows with the process's memory map (protocol reference 10.4).
"""

import asyncio
import json
import sys
import time

import lighter

PRIVATE_KEY = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728"
ACCOUNT_INDEX, API_KEY_INDEX = 424_242, 5


async def main() -> None:
    """Answer until the input ends."""
    # With an explicit nonce in every call the client never speaks to its host.
    client = lighter.SignerClient(
        url="http://127.0.0.1:1",
        account_index=ACCOUNT_INDEX,
        api_private_keys={API_KEY_INDEX: PRIVATE_KEY},
        nonce_management_type=lighter.nonce_manager.NonceManagerType.API,
    )
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        calls_ns = []
        for nonce in range(int(line)):
            started = time.thread_time_ns()
            _, _, _, error = client.sign_modify_order(
                0, 123, 1100, 410_000, 0, nonce=nonce, api_key_index=API_KEY_INDEX
            )
            calls_ns.append(time.thread_time_ns() - started)
            if error:
                raise SystemExit(error)
        print(json.dumps(calls_ns), flush=True)
    await client.close()


asyncio.run(main())
