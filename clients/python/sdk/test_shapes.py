"""What goes over the wire, whole and streamed, is what the SDKs' types say, to the last field."""

import json
import pathlib
import sys
import urllib.error
import urllib.request

import pytest
from conftest import sim

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import validate_events as validation  # noqa: E402

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
CALLS = {"steps": [{"text": "Both.", "calls": [{"call": "find", "with": {"city": name}} for name in ("Paris", "Rome")]}]}
TOOL = {"name": "find", "description": "Finds a city.", "parameters": SCHEMA}

# What the model does, and what is asked for beside it in each dialect. None: it has no place there.
CASES = {
    "text": (sim("Hi", reply="one two three", chunk=3), {}, {}, {}),
    "two calls": (
        sim("Find.", model=CALLS, chunk=3),
        {"tools": [{"type": "function", "function": TOOL}]},
        {"tools": [{"type": "function", **TOOL}]},
        {"tools": [{"name": "find", "input_schema": SCHEMA}]},
    ),
    "refusal": (
        sim("Where?", reply="I'm sorry, but I can't help with that."),
        {"response_format": {"type": "json_schema", "json_schema": {"name": "c", "schema": SCHEMA, "strict": True}}},
        {"text": {"format": {"type": "json_schema", "name": "c", "schema": SCHEMA, "strict": True}}},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    ),
    "cut": (sim("Hi", tokens=30, delay_ms=5, fault="cut", after=4), {}, {}, {}),
    "length": (
        sim("Hi", reply="one two three four five six"),
        {"max_completion_tokens": 2},
        {"max_output_tokens": 2},
        {"max_tokens": 2},
    ),
    "filtered": (sim("Hi", reply="one two", finish_reason="content_filter"), {}, {}, {}),
    "reasoning": (
        sim("Hi", reply="<think>hm hm</think>yes", chunk=2),
        {"reasoning_effort": "high"},
        {"reasoning": {"effort": "high", "summary": "auto"}},
        {"thinking": {"type": "adaptive"}},
    ),
    "web search": (
        sim("News?", reply="None."),
        {"web_search_options": {}},
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    ),
    "no credits": (sim("Hi", fault="insufficient-credits"), {}, {}, {}),
}


def chat(text, more):
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **more}


def responses(text, more):
    return {"model": "gpt-4o-mini", "input": text, **more}


def messages(text, more):
    return {"model": "sonnet", "max_tokens": 500, "messages": [{"role": "user", "content": text}], **more}


DIALECTS = {"/v1/chat/completions": (chat, 1), "/v1/responses": (responses, 2), "/v1/messages": (messages, 3)}


def post(url, body):
    """The type and the text of an answer, also of one that failed."""
    headers = {"authorization": "Bearer any", "content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        answer = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as failed:
        answer = failed
    with answer:
        return answer.headers["content-type"], answer.read().decode()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("path", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_has_the_shape_of_its_type(relay, simulator, path, case, stream):
    asks, place = DIALECTS[path]
    body = asks(CASES[case][0], CASES[case][place]) | ({"stream": True} if stream else {})
    kind, text = post(relay + path, body)
    if kind == "application/json":
        named, order = [(None, json.loads(text))], []
    else:
        named = list(validation.frames(text))
        order = validation.check_order(named)
        assert text.endswith("data: [DONE]\n\n") == (path == "/v1/chat/completions" and case != "cut")
    assert order == []
    for _, value in named:
        assert validation.check(value) == [], json.dumps(value)
