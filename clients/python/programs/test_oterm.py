"""oterm, driven by its own keys: it lists and asks for abilities by Ollama's API and chats by OpenAI's."""

import asyncio
import os

import pytest
from conftest import sim

MODEL = "gpt-4o-mini"


@pytest.fixture
def oterm(relay, tmp_path, monkeypatch):
    monkeypatch.setenv("OLLAMA_URL", relay)
    monkeypatch.setenv("OLLAMA_API_KEY", "any")
    monkeypatch.setenv("OTERM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYDANTIC_AI_NO_BANNER", "1")
    monkeypatch.chdir(tmp_path)

    async def talk(*messages: str) -> list[str]:
        from oterm.app.oterm import OTerm

        app = OTerm()
        async with app.run_test(size=(140, 60)) as pilot:
            await pilot.pause(1)
            await pilot.press("escape")
            await pilot.pause(0.5)
            await pilot.press("ctrl+n")
            await pilot.pause(2)
            form = app.screen
            field = form.query_one("#model-select").query("Input").first()
            field.focus()
            field.value = MODEL
            await pilot.pause(1)
            await pilot.press("down", "enter")
            await pilot.pause(1)
            form.query_one("#builtin-shell").value = True
            await pilot.pause(0.3)
            await pilot.click("#save-btn")
            await pilot.pause(2)
            shown: list[str] = []
            for message in messages:
                before = len(app.screen.query("ChatItem"))
                area = app.screen.query_one("#promptArea")
                area.focus()
                area.text = message
                await pilot.press("enter")
                for _ in range(40):
                    await pilot.pause(0.5)
                    items = list(app.screen.query("ChatItem"))
                    shown = [str(item.text) for item in items]
                    if len(items) >= before + 2 and shown[-1] and not app.screen.query("#loading"):
                        break
            return shown

    return lambda *messages: asyncio.run(talk(*messages))


def test_oterm_finds_a_model_and_runs_a_command(oterm, simulator):
    steps = [
        {"calls": [{"call": "shell", "with": {"command": "echo rough > sea.txt; cat sea.txt"}}]},
        {"text": "All done: {{results}}"},
    ]
    shown = oterm(sim("The sea is rough.", model={"steps": steps}))
    assert "All done: rough" in shown[-1], shown
    with open("sea.txt") as file:
        assert file.read() == "rough\n"
    assert os.path.exists("data")
    assert len(simulator.journal()) == 2
