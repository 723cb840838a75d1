#!/usr/bin/env python3
"""Many streams for a while, some clients leaving at random; then: errors, and what was given back.

bench/soak.py --streams 2000 --seconds 60 [--relay PATH] [--simulator PATH]

Each stream takes two descriptors of the relay: where `ulimit -n` allows too few, run it twice at once.

Each stream is repeated until the time is over. One in five clients leaves in the middle. Afterwards
the relay is watched for a minute: open descriptors and resident memory must come back to what they were.
"""
import argparse
import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

LEAVES = 0.2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--watch", type=float, default=60, help="seconds of watching afterwards")
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--delay-ms", type=int, default=100, help="between two tokens")
    parser.add_argument("--relay", default="target/release/1min-relay")
    parser.add_argument("--simulator", default="target/release/1min-simulator")
    return parser.parse_args()


def started(command, **more):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **more)
    first = process.stdout.readline().strip()
    address = first.rsplit(" ", 1)[-1].removeprefix("http://").rstrip("/")
    if ":" not in address:
        sys.exit(f"{command[0]} did not start: {first}")
    return process, address


def resident(process):
    with open(f"/proc/{process.pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


async def stream(address, tokens, delay_ms, count):
    host, port = address.rsplit(":", 1)
    script = json.dumps({"tokens": tokens, "delay_ms": delay_ms})
    body = json.dumps({
        "model": "gpt-4o-mini",
        "stream": True,
        "messages": [{"role": "user", "content": f"Hi. [[sim {script}]]"}],
    }).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer key-{random.randrange(100)}\r\n"
        f"content-type: application/json\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode()
    leaves = random.random() < LEAVES
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head + body)
        await writer.drain()
        if leaves:
            await asyncio.sleep(random.random() * tokens * delay_ms / 1000)
            writer.transport.abort()
            count["left"] += 1
            return
        answer = await reader.read(-1)
        writer.close()
        whole = answer.startswith(b"HTTP/1.1 200") and b"data: [DONE]" in answer
        count["whole" if whole else "broken"] += 1
    except OSError:
        count["broken"] += 1


async def load(address, options, count):
    until = time.monotonic() + options.seconds

    async def repeated():
        await asyncio.sleep(random.random() * 2)
        while time.monotonic() < until:
            await stream(address, options.tokens, options.delay_ms, count)

    await asyncio.gather(*(repeated() for _ in range(options.streams)))


def main():
    options = arguments()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        simulator, upstream = started([options.simulator, "--port", "0"])
        relay, address = started(
            [options.relay, "--host", "127.0.0.1", "--port", "0", "--data-dir", folder],
            env={**os.environ, "ONEMIN_BASE_URL": f"http://{upstream}", "ONEMIN_ASSET_URL": f"http://{upstream}"},
        )
        try:
            count = {"whole": 0, "broken": 0, "left": 0}
            asyncio.run(load(address, argparse.Namespace(streams=20, seconds=2, tokens=5, delay_ms=100), dict(count)))
            time.sleep(2)
            before = (resident(relay), descriptors(relay))
            asyncio.run(load(address, options, count))
            peak = resident(relay)
            print(f"before {before[0]:.0f} MB, {before[1]} descriptors; with {options.streams} streams {peak:.0f} MB")
            print(f"{count['whole']} whole, {count['left']} left, {count['broken']} broken")
            since = time.monotonic()
            while time.monotonic() - since < options.watch:
                time.sleep(min(10, options.watch))
                waited = time.monotonic() - since
                print(f"after {waited:3.0f} s: {resident(relay):.0f} MB, {descriptors(relay)} descriptors")
            given_back = resident(relay) - before[0] <= 30 and descriptors(relay) <= before[1] + 40
            sys.exit(0 if given_back and count["broken"] == 0 else 1)
        finally:
            for process in (relay, simulator):
                process.kill()
                process.wait()


if __name__ == "__main__":
    main()
