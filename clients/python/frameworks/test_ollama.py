"""Clients of Ollama's API."""

import base64
import json
import os
import subprocess
import sys

import ollama
import pytest
from conftest import sim
from pydantic import BaseModel

MODEL = "gpt-4o-mini"
CALLS = {
    "chatter": True,
    "steps": [
        {"calls": [{"call": "add", "with": {"a": 1, "b": 2}}, {"call": "add", "with": {"a": 30, "b": 4}}]},
        {"text": "The sums are {{results}}."},
    ],
}
GIF = base64.b64decode("R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==")


class Person(BaseModel):
    name: str
    tags: list[str]


def add(a: int, b: int) -> int:
    """Adds two numbers.

    Args:
        a: the first
        b: the second
    """
    return a + b


@pytest.fixture
def client(relay):
    return ollama.Client(relay, headers={"authorization": "Bearer any"})


def test_the_library_lists_and_describes_models(client):
    models = client.list().models
    assert MODEL in [model.model for model in models]
    shown = client.show(MODEL)
    assert shown.modelinfo["general.basename"]
    assert "tools" in shown.capabilities
    assert client.ps().models == []
    assert client.pull(MODEL).status == "success"
    assert [step.status for step in client.pull(MODEL, stream=True)] == ["success"]
    with pytest.raises(ollama.ResponseError) as raised:
        client.show("llama-of-nobody")
    assert raised.value.status_code == 404


@pytest.mark.parametrize("stream", [True, False])
def test_the_library_runs_a_loop_of_tools(client, simulator, stream):
    messages = [{"role": "user", "content": sim("Add.", model=CALLS, chunk=5)}]
    for _ in range(3):
        answer = client.chat(MODEL, messages, tools=[add], stream=stream)
        parts = list(answer) if stream else [answer]
        assert parts[-1].done and parts[-1].eval_duration > 0
        calls = [call for part in parts for call in part.message.tool_calls or []]
        text = "".join(part.message.content or "" for part in parts)
        messages.append({"role": "assistant", "content": text, "tool_calls": calls})
        if not calls:
            break
        # Home Assistant names neither the call nor its tool.
        messages += [{"role": "tool", "content": str(add(**call.function.arguments))} for call in calls]
    assert len(messages) == 5
    assert "3" in text and "34" in text


def test_the_library_gets_data_by_schema_and_by_word(client, simulator):
    for stream in (False, True):
        for form in (Person.model_json_schema(), "json"):
            answer = client.chat(MODEL, [{"role": "user", "content": "Someone."}], format=form, stream=stream)
            text = "".join(part.message.content for part in answer) if stream else answer.message.content
            json.loads(text) if form == "json" else Person.model_validate_json(text)


def test_the_library_shows_pictures_and_generates(client, simulator):
    client.chat("gpt-4o", [{"role": "user", "content": "What is it?", "images": [GIF]}])
    assert "images/" in simulator.prompts()[0]
    parts = client.generate(MODEL, sim("Hi", reply="one two three"), stream=True, options={"num_predict": 1})
    parts = list(parts)
    assert parts[-1].done_reason == "length"
    assert client.generate(MODEL).done_reason == "load"


def test_the_library_shows_thoughts(client, simulator):
    asked = [{"role": "user", "content": sim("Hi", reply="<think>Hm.</think>Yes.")}]
    answer = client.chat(MODEL, asked, think=True)
    assert (answer.message.thinking, answer.message.content) == ("Hm.", "Yes.")
    assert client.chat(MODEL, asked, think=False).message.thinking is None


def test_the_library_raises_what_fails_before_and_within_a_stream(client, relay, simulator):
    simulator.fault(fault="insufficient-credits")
    with pytest.raises(ollama.ResponseError) as raised:
        list(client.chat(MODEL, [{"role": "user", "content": "Hi"}], stream=True))
    assert raised.value.status_code == 402
    simulator.reset()
    broken = [{"role": "user", "content": sim("Hi", reply="one two three four", delay_ms=60, fault="error-midway")}]
    with pytest.raises(ollama.ResponseError):
        list(client.chat(MODEL, broken, stream=True))
    with pytest.raises(ollama.ResponseError) as raised:
        ollama.Client(relay).chat(MODEL, [{"role": "user", "content": "Hi"}])
    assert raised.value.status_code == 401


def langchain(relay, **more):
    from langchain_ollama import ChatOllama

    return ChatOllama(model=MODEL, base_url=relay, client_kwargs={"headers": {"authorization": "Bearer any"}}, **more)


def test_langchain_agent(relay, simulator):
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    for streaming in (False, True):
        agent = create_agent(langchain(relay, disable_streaming=not streaming), [tool(add)])
        result = agent.invoke({"messages": [("user", sim("Add.", model=CALLS, chunk=6))]})
        assert "34" in result["messages"][-1].content


def test_langchain_structured_output_and_stream(relay, simulator):
    model = langchain(relay, validate_model_on_init=True)
    assert isinstance(model.with_structured_output(Person, method="json_schema").invoke("Someone."), Person)
    # This API has no way to force a call, so the model must want one.
    wants = {"steps": [{"calls": [{"call": "Person", "with": {"name": "Ann", "tags": ["a"]}}]}]}
    by_call = model.with_structured_output(Person, method="function_calling")
    assert by_call.invoke(sim("Someone.", model=wants)) == Person(name="Ann", tags=["a"])
    assert "".join(chunk.content for chunk in model.stream(sim("Hi", reply="one two"))) == "one two"


def test_llm_lists_asks_and_calls_tools(relay, simulator, tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LLM_USER_PATH": str(tmp_path),
        "OLLAMA_HOST": relay,
        "OLLAMA_API_KEY": "any",
    }

    def run(*arguments):
        command = [sys.executable, "-m", "llm", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    model = f"ollama/{MODEL}"
    assert MODEL in run("ollama", "models")
    assert "one two" in run("-m", model, sim("Hi", reply="one two"))
    functions = "def add(a: int, b: int) -> int:\n    'Adds two numbers.'\n    return a + b\n"
    assert "34" in run("-m", model, "--functions", functions, sim("Add.", model=CALLS))
