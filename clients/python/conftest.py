"""Where the relay and its upstream are, and what upstream was asked."""

import json
import os
import time
import urllib.request

import pytest


class Simulator:
    """The control endpoints of the simulator behind the relay."""

    def __init__(self, url: str):
        self.url = url

    def _send(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def reset(self):
        self._send("POST", "/_sim/reset")

    def replies(self, *texts: str):
        """What the next chat requests are answered with."""
        self._send("POST", "/_sim/script", {"replies": list(texts)})

    def script(self, **script):
        self._send("POST", "/_sim/script", script)

    def fault(self, **fault):
        self._send("POST", "/_sim/faults", fault)

    def journal(self, path: str = "/api/chat-with-ai"):
        return self._send("GET", f"/_sim/journal?path={path}")["entries"]

    def prompts(self):
        return [json.dumps(entry["body"], ensure_ascii=False) for entry in self.journal()]

    def wait_until_left(self, within: float = 3.0) -> bool:
        """Whether a chat request's client leaves within the time."""
        until = time.time() + within
        while time.time() < until:
            if any(entry["outcome"] == "client-left" for entry in self.journal()):
                return True
            time.sleep(0.02)
        return False


def sim(text: str, **directive) -> str:
    """A text with a directive for the simulator."""
    return f"{text} [[sim {json.dumps(directive)}]]"


@pytest.fixture(scope="session")
def relay() -> str:
    return os.environ["RELAY_URL"]


@pytest.fixture
def simulator():
    simulator = Simulator(os.environ["SIMULATOR_URL"])
    simulator.reset()
    yield simulator
    simulator.reset()
