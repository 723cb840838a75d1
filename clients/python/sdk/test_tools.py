"""The official OpenAI SDK calls tools and reads structured outputs, as a model of any family behaves."""

import json

import openai
import pytest
from conftest import sim
from pydantic import BaseModel

MODEL = "gpt-4o-mini"
FAMILIES = ["gpt", "hermes", "claude", "mistral", "llama", "deepseek", "qwen-coder", "gemini"]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                "required": ["a", "b"],
            },
        },
    }
    for name, description in [("add", "Adds two numbers."), ("multiply", "Multiplies two numbers.")]
]


@pytest.fixture
def client(relay):
    return openai.OpenAI(base_url=f"{relay}/v1", api_key="any", max_retries=0)


def run(name, arguments):
    a, b = arguments["a"], arguments["b"]
    return str(a + b if name == "add" else a * b)


def turn(client, stream, messages):
    """One turn of the loop, as the SDK's users write it."""
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=messages, tools=TOOLS) as events:
            return events.get_final_completion().choices[0]
    return client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS).choices[0]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_loop_of_ten_turns_with_parallel_calls(client, simulator, family, stream):
    steps = [
        {"calls": [{"call": "add", "with": {"a": n, "b": 1}}, {"call": "multiply", "with": {"a": n, "b": 2}}]}
        for n in range(10)
    ]
    steps.append({"text": "Done: {{results}}."})
    plan = {"family": family, "chatter": family != "llama", "steps": steps}
    messages = [{"role": "user", "content": sim("Work it out.", model=plan, chunk=7)}]
    turns = 0
    while True:
        choice = turn(client, stream, messages)
        messages.append(choice.message.model_dump(exclude_none=True, exclude={"parsed", "reasoning_content"}))
        if choice.finish_reason != "tool_calls":
            break
        calls = choice.message.tool_calls
        assert [c.function.name for c in calls] == ["add", "multiply"], choice
        assert len({c.id for c in calls}) == 2
        assert json.loads(calls[0].function.arguments) == {"a": turns, "b": 1}
        for call in calls:
            result = run(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        turns += 1
    assert turns == 10
    assert choice.finish_reason == "stop"
    assert "10" in choice.message.content and "18" in choice.message.content
    assert "tool_call" not in choice.message.content


def test_choices_are_kept(client, simulator):
    def ask(**more):
        return client.chat.completions.create(
            model=MODEL, tools=TOOLS, messages=[{"role": "user", "content": 'call add with {"a": 1, "b": 2}'}], **more
        ).choices[0]

    assert ask(tool_choice="required").message.tool_calls[0].function.name == "add"
    assert ask(tool_choice="none").message.tool_calls is None
    named = {"type": "function", "function": {"name": "add"}}
    assert ask(tool_choice=named).message.tool_calls[0].function.name == "add"
    assert len(ask(parallel_tool_calls=False).message.tool_calls) == 1


class Step(BaseModel):
    explanation: str
    output: str


class Solution(BaseModel):
    steps: list[Step]
    final_answer: str
    certain: bool


@pytest.mark.parametrize("chatter", [False, True])
def test_parse_gives_the_model_of_the_schema(client, simulator, chatter):
    value = {"steps": [{"explanation": "x", "output": "1"}], "final_answer": "42", "certain": True}
    completion = client.chat.completions.parse(
        model=MODEL,
        messages=[{"role": "user", "content": sim("Solve.", model={"chatter": chatter, "steps": [{"json": value}]})}],
        response_format=Solution,
    )
    assert completion.choices[0].message.parsed == Solution(**value)


def test_a_streamed_schema_holds(client, simulator):
    with client.chat.completions.stream(
        model=MODEL, messages=[{"role": "user", "content": "Solve."}], response_format=Solution
    ) as stream:
        parsed = stream.get_final_completion().choices[0].message.parsed
    assert isinstance(parsed, Solution)


def test_json_mode_gives_json(client, simulator):
    simulator.replies("Here:\n```json\n{'a': 1,}\n```")
    completion = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "JSON"}], response_format={"type": "json_object"}
    )
    assert json.loads(completion.choices[0].message.content) == {"a": 1}


def test_a_refusal_is_one(client, simulator):
    simulator.replies("I'm sorry, I can't help with that.")
    message = client.chat.completions.parse(
        model=MODEL, messages=[{"role": "user", "content": "Solve."}], response_format=Solution
    ).choices[0].message
    assert message.refusal and message.parsed is None


def test_thoughts_are_apart(client, simulator):
    simulator.replies("<think>hm</think>Yes.")
    message = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "?"}]).choices[0].message
    assert (message.content, message.reasoning_content) == ("Yes.", "hm")
