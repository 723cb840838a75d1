"""The official Anthropic SDK speaks with any model."""

import anthropic
import pytest
from conftest import sim

MODEL = "claude-sonnet-4-5"
TOOLS = [
    {
        "name": "add",
        "description": "Adds two numbers.",
        "input_schema": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    }
]


@pytest.fixture
def client(relay):
    return anthropic.Anthropic(base_url=relay, api_key="any", max_retries=0)


def user(text):
    return [{"role": "user", "content": text}]


def test_a_message(client, simulator):
    message = client.messages.create(model=MODEL, max_tokens=100, messages=user(sim("Hi", reply="Jupiter 🚀")))
    assert message.content[0].text == "Jupiter 🚀"
    assert (message.stop_reason, message.role) == ("end_turn", "assistant")
    assert message.usage.output_tokens > 0


def test_a_stream(client, simulator):
    with client.messages.stream(
        model=MODEL, max_tokens=100, system="be brief", messages=user(sim("Hi", reply="one two three", chunk=2))
    ) as stream:
        assert "".join(stream.text_stream) == "one two three"
        assert stream.get_final_message().stop_reason == "end_turn"
    assert "be brief" in simulator.prompts()[0]


def test_limits_and_stop_sequences(client, simulator):
    ask = lambda **more: client.messages.create(model=MODEL, messages=user(sim("Hi", reply="one two three")), **more)
    short = ask(max_tokens=2)
    assert (short.stop_reason, short.content[0].text) == ("max_tokens", "one two")
    stopped = ask(max_tokens=50, stop_sequences=["three"])
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "three")


@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_of_tools(client, simulator, stream):
    plan = {"family": "claude", "chatter": True, "steps": [
        {"calls": [{"call": "add", "with": {"a": 1, "b": 2}}, {"call": "add", "with": {"a": 3, "b": 4}}]},
        {"text": "Sums: {{results}}."},
    ]}
    messages = user(sim("Add.", model=plan))

    def turn():
        if stream:
            with client.messages.stream(model=MODEL, max_tokens=500, tools=TOOLS, messages=messages) as events:
                return events.get_final_message()
        return client.messages.create(model=MODEL, max_tokens=500, tools=TOOLS, messages=messages)

    first = turn()
    assert first.stop_reason == "tool_use"
    calls = [block for block in first.content if block.type == "tool_use"]
    assert [call.input for call in calls] == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    messages.append({"role": "assistant", "content": [b.model_dump(exclude_none=True) for b in first.content]})
    messages.append({"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": call.id, "content": str(call.input["a"] + call.input["b"])} for call in calls
    ]})
    last = turn()
    assert last.stop_reason == "end_turn"
    assert "3" in last.content[0].text and "7" in last.content[0].text


@pytest.mark.parametrize("stream", [False, True])
def test_the_sdk_runs_tools_by_itself(client, simulator, stream):
    @anthropic.beta_tool
    def add(a: int, b: int) -> str:
        """Adds two numbers."""
        return str(a + b)

    plan = {"steps": [
        {"calls": [{"call": "add", "with": {"a": 1, "b": 2}}]},
        {"calls": [{"call": "add", "with": {"a": 30, "b": 4}}]},
        {"text": "It is {{results}}."},
    ]}
    runner = client.beta.messages.tool_runner(
        model=MODEL, max_tokens=500, tools=[add], stream=stream, messages=user(sim("Add.", model=plan))
    )
    assert runner.until_done().content[0].text == "It is 34."
    assert len(simulator.journal()) == 3, "a request that is sent again, whole, asks upstream once"


def test_a_thread_of_the_sdk_is_told_whole_each_time(client, simulator):
    thread = client.beta.messages.thread(model=MODEL, max_tokens=500)
    for text in ("My name is Ann.", "I am seven.", "Who am I?"):
        thread.send({"role": "user", "content": text})
    assert "My name is Ann." in simulator.prompts()[-1] and "I am seven." in simulator.prompts()[-1]
    assert len(simulator.journal()) == 3


def test_files_are_kept_used_and_deleted(relay, client, simulator):
    strict = anthropic.Anthropic(base_url=relay, api_key="files", max_retries=0, _strict_response_validation=True)
    files = [
        strict.files.upload(file=(f"{name}.txt", f"the {name} secret".encode(), "text/plain"), expires_in_seconds=3600)
        for name in ("first", "second", "third")
    ]
    assert [file.id for file in strict.files.list(limit=2)] == [file.id for file in reversed(files)]
    assert [file.id for file in strict.files.list(ids=[files[1].id, "file_none"])] == [files[1].id]
    file = strict.files.retrieve_metadata(files[0].id)
    assert (file.filename, file.mime_type, file.size_bytes) == ("first.txt", "text/plain", 16)
    assert strict.files.download(file.id).read() == b"the first secret"
    document = {"type": "document", "source": {"type": "file", "file_id": file.id}}
    strict.messages.create(model=MODEL, max_tokens=9, messages=user([document, {"type": "text", "text": "What?"}]))
    assert '"files"' in simulator.prompts()[-1] or "the first secret" in simulator.prompts()[-1]
    assert strict.files.delete(file.id).type == "file_deleted"
    with pytest.raises(anthropic.NotFoundError) as raised:
        strict.files.retrieve_metadata(file.id)
    assert raised.value.type == "not_found_error"


def test_tokens_are_counted_before(client):
    plain = client.messages.count_tokens(model=MODEL, messages=user("Hello there, how are you?"))
    tooled = client.messages.count_tokens(model=MODEL, messages=user("Hello there, how are you?"), tools=TOOLS)
    assert 3 <= plain.input_tokens < tooled.input_tokens


def test_models_are_listed_in_pages(client):
    ids = [model.id for model in client.models.list(limit=5)]
    assert len(ids) > 5
    assert client.models.retrieve(ids[0]).lifecycle


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rate-limited", anthropic.RateLimitError),
        ("unauthorized", anthropic.AuthenticationError),
        ("insufficient-credits", anthropic.APIStatusError),
        ("cut", anthropic.APIStatusError),
    ],
)
def test_failures_are_the_right_exceptions(client, simulator, fault, error):
    with pytest.raises(error):
        client.messages.create(model=MODEL, max_tokens=9, messages=user(sim("Hi", fault=fault)))


def test_a_broken_stream_raises(client, simulator):
    with pytest.raises(anthropic.APIError):
        with client.messages.stream(
            model=MODEL, max_tokens=900, messages=user(sim("Hi", tokens=30, delay_ms=5, fault="cut", after=4))
        ) as stream:
            for _ in stream:
                pass


def test_the_newer_version_with_a_bearer_key(relay, simulator):
    client = anthropic.Anthropic(
        base_url=relay, auth_token="any", api_key=None, max_retries=0,
        default_headers={"anthropic-version": "2026-10-21"},
    )
    assert client.messages.create(model=MODEL, max_tokens=9, messages=user(sim("Hi", reply="x"))).content[0].text == "x"
