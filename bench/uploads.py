#!/usr/bin/env python3
"""Large uploads through a relay, several at a time, and the most memory that it holds meanwhile.

Nothing is held here either: the same piece is sent again and again. Peaks are those that the kernel
keeps (VmHWM), set back before a measurement.

    bench/uploads.py PORT PID      measures a relay that runs already
"""

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MEGABYTE = 1_000_000
UPLOADS = 50
AT_ONCE = 5
KEY = "uploads-key"
BOUNDARY = "BOUNDARY"
PIECE = bytes(250_000)
WAV = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\xff\xff\xff\x7f"


def peak_kb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def forget_peak(pid):
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def text(name, value):
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def upload(port, path, fields, size):
    """Sends a form with a recording of so many bytes; gives the answer."""
    head = b"".join(text(name, value) for name, value in fields.items())
    head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'.encode() + WAV
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()

    def pieces():
        yield head
        left = size - len(WAV)
        while left > 0:
            yield PIECE[:left]
            left -= len(PIECE)
        yield tail

    length = len(head) + size - len(WAV) + len(tail)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Length": str(length),
               "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return ask(port, "POST", path, pieces(), headers)


def ask(port, method, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != 200:
        sys.exit(f"{method} {path}: {answer.status} {said[:300]!r}")
    return json.loads(said)


def keep(port, size):
    """A file, uploaded and deleted again, so that the disk stays free."""
    file = upload(port, "/v1/files", {"purpose": "user_data"}, size)
    if file["bytes"] != size:
        sys.exit(f"{file['bytes']} bytes of {size} were kept")
    ask(port, "DELETE", f"/v1/files/{file['id']}", None, {"Authorization": f"Bearer {KEY}"})


def write_down(model):
    def work(port, size):
        upload(port, "/v1/audio/transcriptions", {"model": model}, size)
    return work


# What, how, bytes. whisper-1 takes no more, ElevenLabs' as much as the relay.
WORKS = [
    ("/v1/files, 100 MB", keep, 100 * MEGABYTE),
    ("/v1/audio/transcriptions, 25 MiB", write_down("whisper-1"), 25 << 20),
    ("/v1/audio/transcriptions, 100 MB", write_down("elevenlabs-speech-to-text"), 100 * MEGABYTE),
]


def measure(port, pid):
    """For each work: what it is, the peak before and during it in MB, MB per second."""
    for what, work, size in WORKS:
        work(port, MEGABYTE)
        forget_peak(pid)
        before = peak_kb(pid)
        begun = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _: work(port, size), range(UPLOADS)))
        seconds = time.monotonic() - begun
        yield what, before / 1000, peak_kb(pid) / 1000, UPLOADS * size / MEGABYTE / seconds


if __name__ == "__main__":
    for what, before, peak, rate in measure(*map(int, sys.argv[1:3])):
        print(f"{UPLOADS} x {what}, {AT_ONCE} at a time: {before:.1f} MB before, peak {peak:.1f} MB, {rate:.0f} MB/s", flush=True)
