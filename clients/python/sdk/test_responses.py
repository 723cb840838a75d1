"""The official OpenAI SDK uses the Responses API."""

import json

import openai
import pytest
from conftest import sim
from pydantic import BaseModel

MODEL = "gpt-4o-mini"
TOOL = {
    "type": "function",
    "name": "add",
    "description": "Adds two numbers.",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
    "strict": True,
}


@pytest.fixture
def client(relay):
    return openai.OpenAI(base_url=f"{relay}/v1", api_key="any", max_retries=0)


def test_a_response(client, simulator):
    response = client.responses.create(model=MODEL, instructions="be brief", input=sim("Hi", reply="Jupiter"))
    assert response.output_text == "Jupiter"
    assert (response.status, response.object) == ("completed", "response")
    assert response.usage.output_tokens > 0
    assert "be brief" in simulator.prompts()[0]


def test_a_stream_numbers_its_events_and_ends(client, simulator):
    events = list(client.responses.create(model=MODEL, input=sim("Hi", reply="one two", chunk=2), stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == "one two"


def test_a_broken_stream_ends_as_failed(client, simulator):
    broken = sim("Hi", tokens=30, delay_ms=5, fault="cut", after=4)
    with client.responses.stream(model=MODEL, input=broken) as stream:
        events = [event.type for event in stream]
        assert events[-1] == "response.failed" and "response.completed" not in events
        with pytest.raises(RuntimeError):
            stream.get_final_response()


@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_of_tools(client, simulator, stream):
    plan = {"chatter": True, "steps": [
        {"calls": [{"call": "add", "with": {"a": 1, "b": 2}}, {"call": "add", "with": {"a": 30, "b": 4}}]},
        {"text": "Sums: {{results}}."},
    ]}
    items = [{"role": "user", "content": sim("Add.", model=plan, chunk=5)}]

    def turn():
        if stream:
            with client.responses.stream(model=MODEL, input=items, tools=[TOOL]) as events:
                for _ in events:
                    pass
                return events.get_final_response()
        return client.responses.create(model=MODEL, input=items, tools=[TOOL])

    first = turn()
    calls = [item for item in first.output if item.type == "function_call"]
    assert [json.loads(call.arguments) for call in calls] == [{"a": 1, "b": 2}, {"a": 30, "b": 4}]
    items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in first.output]
    for call in calls:
        a, b = json.loads(call.arguments).values()
        items.append({"type": "function_call_output", "call_id": call.call_id, "output": str(a + b)})
    assert "34" in turn().output_text


class Person(BaseModel):
    name: str
    tags: list[str]


def test_parse(client, simulator):
    assert isinstance(client.responses.parse(model=MODEL, input="Someone.", text_format=Person).output_parsed, Person)


def test_a_response_is_continued_kept_and_deleted(relay, client, simulator):
    for stream in (False, True):
        first = client.responses.create(model=MODEL, input=sim("My name is Ann.", reply="Hello Ann"), stream=stream)
        if stream:
            first = [event for event in first if event.type == "response.completed"][0].response
        second = client.responses.create(model=MODEL, input="Who am I?", previous_response_id=first.id)
        assert "My name is Ann." in simulator.prompts()[-1] and "Hello Ann" in simulator.prompts()[-1]
        assert client.responses.retrieve(second.id).output_text == second.output_text
        (item,) = client.responses.input_items.list(second.id).data
        assert item.content[0].text == "Who am I?"
        stranger = openai.OpenAI(base_url=f"{relay}/v1", api_key="another", max_retries=0)
        with pytest.raises(openai.NotFoundError):
            stranger.responses.retrieve(second.id)
        client.responses.delete(second.id)
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(second.id)
    unkept = client.responses.create(model=MODEL, input="Hi", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(unkept.id)


def test_a_conversation_grows(client, simulator):
    import time

    conversation = client.conversations.create(items=[{"role": "user", "content": "I am Ann."}], metadata={"a": "b"})
    client.responses.create(model=MODEL, input="Who am I?", conversation=conversation.id)
    assert "I am Ann." in simulator.prompts()[-1]
    for _ in range(100):
        items = client.conversations.items.list(conversation.id, order="asc").data
        if len(items) == 3:
            break
        time.sleep(0.02)
    assert [item.type for item in items] == ["message"] * 3
    assert client.conversations.retrieve(conversation.id).metadata == {"a": "b"}
    assert client.conversations.delete(conversation.id).deleted


def test_tokens_are_counted_before(client):
    assert client.responses.input_tokens.count(model=MODEL, input="Hello there").input_tokens > 0


def test_legacy_completions(client, simulator):
    assert client.completions.create(model=MODEL, prompt=sim("Say", reply="Jupiter")).choices[0].text == "Jupiter"
    stream = client.completions.create(model=MODEL, prompt=sim("Say", reply="one two"), stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == "one two"
    with pytest.raises(openai.BadRequestError):
        client.completions.create(model=MODEL, prompt="a", suffix="b")


def test_what_has_no_counterpart_says_so(client):
    for ask in (
        lambda: client.embeddings.create(model="text-embedding-3-small", input="x"),
        lambda: client.moderations.create(input="x"),
    ):
        with pytest.raises(openai.APIStatusError) as raised:
            ask()
        assert raised.value.status_code == 501
