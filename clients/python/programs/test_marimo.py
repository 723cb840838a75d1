"""marimo: a notebook whose cell asks a model, whole and as it comes."""

import sys

import pytest
from conftest import sim

MODEL = "gpt-4o-mini"

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    model = mo.ai.llm.openai({model!r}, base_url={url!r}, api_key="any")
    asked = [mo.ai.ChatMessage(role="user", content={question!r})]
    pieces = list(model(asked, mo.ai.ChatModelConfig()))
    answer = "".join(pieces)
    return (answer, pieces)
"""


@pytest.fixture
def ask(relay, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(question: str) -> dict:
        notebook = NOTEBOOK.format(model=MODEL, url=f"{relay}/v1", question=question)
        (tmp_path / "notebook.py").write_text(notebook)
        sys.modules.pop("notebook", None)
        import notebook

        _, defined = notebook.app.run()
        return defined

    return run


def test_a_cell_of_marimo_asks_a_model(ask, simulator):
    defined = ask(sim("Which planet is largest?", reply="Jupiter is large."))
    assert defined["answer"] == "Jupiter is large."
    assert len(defined["pieces"]) > 1
    assert len(simulator.journal()) == 1


def test_marimo_says_that_credits_are_spent(ask, simulator):
    with pytest.raises(Exception, match="Not enough 1min.ai credits"):
        ask(sim("Hi", fault="insufficient-credits"))
    assert len(simulator.journal()) == 1
