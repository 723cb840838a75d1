"""The official OpenAI SDK holds conversations."""

import base64

import openai
import pytest
from conftest import sim

MODEL = "gpt-4o-mini"
PNG = base64.b64encode(
    bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de")
).decode()


@pytest.fixture
def client(relay):
    return openai.OpenAI(base_url=f"{relay}/v1", api_key="any", max_retries=0)


@pytest.fixture
def aclient(relay):
    return openai.AsyncOpenAI(base_url=f"{relay}/v1", api_key="any", max_retries=0)


def user(text):
    return [{"role": "user", "content": text}]


def test_a_completion(client, simulator):
    completion = client.chat.completions.create(model=MODEL, messages=user(sim("Hi", reply="Jupiter 🚀")))
    assert completion.choices[0].message.content == "Jupiter 🚀"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens > 0


def test_every_role_of_a_conversation_reaches_the_model(client, simulator):
    client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": [{"type": "text", "text": "be kind"}]},
            {"role": "user", "name": "Ann", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three"},
        ],
    )
    (prompt,) = simulator.prompts()
    places = [prompt.index(word) for word in ("be brief", "be kind", "one", "two", "three")]
    assert places == sorted(places)


def test_a_stream_says_the_same_and_ends_with_usage(client, simulator):
    stream = client.chat.completions.create(
        model=MODEL,
        messages=user(sim("Hi", reply="one two three", chunk=2)),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "one two three"
    assert len({c.id for c in chunks}) == 1
    assert chunks[-1].usage.completion_tokens > 0 and chunks[-1].choices == []


def test_the_stream_helper_collects(client, simulator):
    with client.chat.completions.stream(model=MODEL, messages=user(sim("Hi", reply="one two"))) as stream:
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == "one two"


async def collected(stream):
    return [chunk async for chunk in stream]


def test_async_streams(aclient, simulator):
    import asyncio

    async def main():
        stream = await aclient.chat.completions.create(
            model=MODEL, messages=user(sim("Hi", reply="one two")), stream=True
        )
        return await collected(stream)

    chunks = asyncio.run(main())
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "one two"


def test_several_answers(client, simulator):
    completion = client.chat.completions.create(model=MODEL, n=3, messages=user(sim("Hi", reply="yes")))
    assert [c.message.content for c in completion.choices] == ["yes"] * 3
    assert [c.index for c in completion.choices] == [0, 1, 2]
    assert len(simulator.journal()) == 3


@pytest.mark.parametrize("stream", [False, True])
def test_stop_and_max_tokens(client, simulator, stream):
    def ask(**limits):
        answer = client.chat.completions.create(
            model=MODEL, messages=user(sim("Hi", reply="one two three four", chunk=3)), stream=stream, **limits
        )
        if not stream:
            return answer.choices[0].message.content, answer.choices[0].finish_reason
        chunks = list(answer)
        text = "".join(c.choices[0].delta.content or "" for c in chunks)
        return text, chunks[-1].choices[0].finish_reason

    assert ask(stop=["three"]) == ("one two ", "stop")
    assert ask(max_tokens=2) == ("one two", "length")
    assert ask(max_completion_tokens=2) == ("one two", "length")


def test_pictures_and_documents_are_seen(client, simulator):
    completion = client.chat.completions.create(
        model=MODEL,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                    {
                        "type": "file",
                        "file": {
                            "filename": "a.txt",
                            "file_data": "data:text/plain;base64," + base64.b64encode(b"hello").decode(),
                        },
                    },
                ],
            }
        ],
    )
    assert completion.choices[0].message.content
    assert len(simulator.journal("/api/assets")) == 2
    assert '"images"' in simulator.prompts()[0] and '"files"' in simulator.prompts()[0]


def test_web_search(client, simulator):
    client.chat.completions.create(model=MODEL, messages=user("News?"), web_search_options={})
    client.chat.completions.create(
        model=MODEL, messages=user("News?"), extra_body={"web_search": True, "num_of_site": 2, "max_word": 300}
    )
    assert all('"webSearch": true' in prompt for prompt in simulator.prompts())


def test_models_are_listed_and_found(client):
    ids = [model.id for model in client.models.list()]
    assert MODEL in ids
    slashed = next(i for i in ids if "/" in i)
    assert client.models.retrieve(slashed).id == slashed
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("insufficient-credits", openai.APIStatusError),
        ("rate-limited", openai.RateLimitError),
        ("unauthorized", openai.AuthenticationError),
        ("http-503", openai.InternalServerError),
        ("cut", openai.InternalServerError),
    ],
)
def test_failures_are_the_right_exceptions(client, simulator, fault, error):
    with pytest.raises(error) as raised:
        client.chat.completions.create(model=MODEL, messages=user(sim("Hi", fault=fault)))
    assert "1min.ai" in str(raised.value)


def test_wrong_requests_are_the_right_exceptions(client, simulator):
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="gpt-4o-mimi", messages=user("Hi"))
    assert raised.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model=MODEL, messages=[])
    assert raised.value.param == "messages"
    assert simulator.journal() == []


def test_a_broken_stream_raises(client, aclient, simulator):
    import asyncio

    broken = user(sim("Hi", tokens=30, delay_ms=5, fault="cut", after=4))
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model=MODEL, messages=broken, stream=True))

    async def main():
        return await collected(await aclient.chat.completions.create(model=MODEL, messages=broken, stream=True))

    with pytest.raises(openai.APIError):
        asyncio.run(main())


def test_the_sdks_own_retries_never_pay_twice(relay, simulator):
    client = openai.OpenAI(base_url=f"{relay}/v1", api_key="any", max_retries=2)
    with pytest.raises(openai.APIStatusError):
        client.chat.completions.create(model=MODEL, messages=user(sim("Hi", fault="cut")))
    with pytest.raises(openai.APIStatusError):
        client.chat.completions.create(model=MODEL, messages=user(sim("Hi", fault="insufficient-credits")))
    assert len(simulator.journal()) == 2


def test_leaving_cancels_upstream(relay, client, simulator):
    stream = client.chat.completions.create(
        model=MODEL, messages=user(sim("Hi", tokens=500, delay_ms=20)), stream=True
    )
    next(iter(stream))
    stream.close()
    assert simulator.wait_until_left()
    simulator.reset()
    impatient = openai.OpenAI(base_url=f"{relay}/v1", api_key="any", max_retries=0, timeout=0.5)
    with pytest.raises(openai.APITimeoutError):
        impatient.chat.completions.create(model=MODEL, messages=user(sim("Hi", first_ms=5000)))
    assert simulator.wait_until_left()


def test_headers_tell_credits_and_what_has_no_effect(client, simulator):
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=user(sim("Hi", reply="x")), temperature=0.2, seed=1
    )
    assert float(raw.headers["x-relay-credits"]) > 0
    assert raw.headers["x-relay-ignored"] == "temperature, seed" or set(
        raw.headers["x-relay-ignored"].split(", ")
    ) == {"temperature", "seed"}
    assert raw.parse().choices[0].message.content == "x"


def test_azures_client(relay, simulator):
    azure = openai.AzureOpenAI(azure_endpoint=relay, api_key="any", api_version="2024-10-21", max_retries=0)
    completion = azure.chat.completions.create(model=MODEL, messages=user(sim("Hi", reply="Jupiter")))
    assert completion.choices[0].message.content == "Jupiter"
    stream = azure.chat.completions.create(model=MODEL, messages=user(sim("Hi", reply="one two")), stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "one two"
    deployed = openai.AzureOpenAI(
        azure_endpoint=relay, azure_deployment=MODEL, api_key="any", api_version="2024-10-21", max_retries=0
    )
    completion = deployed.chat.completions.create(model="ignored", messages=user(sim("Hi", reply="Saturn")))
    assert (completion.model, completion.choices[0].message.content) == (MODEL, "Saturn")
    assert azure.responses.create(model=MODEL, input=sim("Hi", reply="Mars")).output_text == "Mars"
    with pytest.raises(openai.NotFoundError):
        azure.chat.completions.create(model="no-such-model", messages=user("Hi"))
