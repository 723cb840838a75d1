"""Programs for the command line, each in a home and a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import sim

MODEL = "gpt-4o-mini"
BIN = Path(sys.executable).parent


def calls(name: str, *rounds: dict) -> dict:
    """A model that makes one call a round and then says what it was told."""
    steps = [{"calls": [{"call": name, "with": arguments}]} for arguments in rounds]
    return {"steps": [*steps, {"text": "All done: {{results}}"}]}


@pytest.fixture
def run(relay, tmp_path):
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()

    def run(name: str, *arguments: str, **more: str):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "OPENAI_API_KEY": "any",
            "OPENAI_API_BASE": f"{relay}/v1",
            "OPENAI_BASE_URL": f"{relay}/v1",
            "API_BASE_URL": f"{relay}/v1",
            "DEFAULT_MODEL": MODEL,
            **more,
        }
        done = subprocess.run(
            [str(BIN / name), *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
        )
        return done.returncode, done.stdout, done.stderr

    run.folder = folder
    return run


def test_shell_gpt_answers_streamed_and_writes_a_command(run, simulator):
    code, out, err = run("sgpt", "--no-cache", "--no-md", sim("Hi", reply="Jupiter is large."))
    assert code == 0 and "Jupiter is large." in out, err
    code, out, err = run("sgpt", "--no-cache", "--no-md", "--code", sim("Hi", reply="print(1)"))
    assert code == 0 and "print(1)" in out, err


def test_shell_gpt_runs_a_function(run, simulator):
    code, _, err = run("sgpt", "--install-functions")
    assert code == 0, err
    plan = calls("execute_shell_command", {"shell_command": "echo from the shell > made.txt; cat made.txt"})
    code, out, err = run("sgpt", "--no-cache", "--no-md", sim("Make a file.", model=plan))
    assert code == 0, err
    assert (run.folder / "made.txt").read_text() == "from the shell\n"
    assert "All done" in out and "from the shell" in out, out


def test_shell_gpt_says_that_credits_are_spent(run, simulator):
    simulator.fault(fault="insufficient-credits", times=0)
    code, out, err = run("sgpt", "--no-cache", "--no-md", "Hi")
    assert code != 0 and "insufficient_quota" in out + err
    assert len(simulator.journal()) == 1


def test_mini_swe_agent_edits_a_file_by_commands(run, simulator):
    (run.folder / "sea.txt").write_text("The sea is calm.\n")
    plan = calls(
        "bash",
        {"command": "cat sea.txt"},
        {"command": "sed -i s/calm/rough/ sea.txt"},
        {"command": "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"},
    )
    code, out, err = run(
        "mini", "-m", f"openai/{MODEL}", "-t", sim("The sea is rough.", model=plan), "-y", "--exit-immediately",
        MSWEA_CONFIGURED="true", MSWEA_COST_TRACKING="ignore_errors", MSWEA_SILENT_STARTUP="1",
    )
    assert code == 0, f"{out}\n{err}"
    assert (run.folder / "sea.txt").read_text() == "The sea is rough.\n"
    assert len(simulator.journal()) == 3
