"""Hermes Agent, without a terminal: a command by its tool, and what it says of spent credits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import sim

MODEL = "gpt-4o-mini"
TIME_LIMIT_S = 300

SETTINGS = """
model:
  provider: custom
  default: {model}
  base_url: {url}
  api_key: any
"""


@pytest.fixture
def hermes(relay, tmp_path):
    home = tmp_path / "home"
    folder = tmp_path / "folder"
    (home / ".hermes").mkdir(parents=True)
    folder.mkdir()
    (home / ".hermes" / "config.yaml").write_text(SETTINGS.format(model=MODEL, url=f"{relay}/v1"))

    def run(prompt: str) -> subprocess.CompletedProcess:
        program = Path(sys.executable).parent / "hermes"
        environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
        return subprocess.run(
            [program, "-z", prompt, "-m", MODEL, "--yolo"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )

    run.folder = folder
    return run


def test_hermes_runs_a_command_and_tells_what_it_said(hermes, simulator):
    sea = hermes.folder / "sea.txt"
    steps = [
        {"calls": [{"call": "terminal", "with": {"command": f"echo rough > {sea}; cat {sea}"}}]},
        {"text": "All done: {{results}}"},
    ]
    ran = hermes(sim("The sea is rough.", model={"steps": steps}))
    assert ran.returncode == 0, ran.stderr
    assert "All done" in ran.stdout and "rough" in ran.stdout, ran.stdout
    assert sea.read_text() == "rough\n"


def test_hermes_says_that_credits_are_spent(hermes, simulator):
    ran = hermes(sim("Hi", fault="insufficient-credits"))
    assert "Not enough 1min.ai credits" in ran.stdout + ran.stderr, (ran.stdout, ran.stderr)
    assert 1 <= len(simulator.journal()) <= 3
