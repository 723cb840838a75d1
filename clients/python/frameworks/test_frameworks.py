"""Agent frameworks run their loops on the relay."""

import asyncio
import json

import pytest
from conftest import sim
from pydantic import BaseModel

MODEL = "gpt-4o-mini"
PLAN = {
    "chatter": True,
    "steps": [
        {"calls": [{"call": "add", "with": {"a": 1, "b": 2}}, {"call": "add", "with": {"a": 30, "b": 4}}]},
        {"calls": [{"call": "add", "with": {"a": 3, "b": 34}}]},
        {"text": "The sum is {{results}}."},
    ],
}


class Person(BaseModel):
    name: str
    tags: list[str]


@pytest.fixture
def base(relay):
    return f"{relay}/v1"


def test_langchain_agent(base, simulator):
    from langchain.agents import create_agent
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    @tool
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    for streaming in (False, True):
        model = ChatOpenAI(model=MODEL, base_url=base, api_key="any", streaming=streaming, max_retries=0)
        agent = create_agent(model, [add])
        result = agent.invoke({"messages": [("user", sim("Add.", model=PLAN, chunk=6))]})
        assert "37" in result["messages"][-1].content


def test_langchain_structured_output(base, simulator):
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=MODEL, base_url=base, api_key="any", max_retries=0)
    for method in ("json_schema", "function_calling"):
        assert isinstance(model.with_structured_output(Person, method=method).invoke("Someone."), Person)


def test_langchain_streams_text(base, simulator):
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=MODEL, base_url=base, api_key="any", max_retries=0)
    assert "".join(chunk.content for chunk in model.stream(sim("Hi", reply="one two"))) == "one two"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_openai_agents(base, simulator, api):
    from agents import (
        Agent,
        OpenAIChatCompletionsModel,
        OpenAIResponsesModel,
        Runner,
        function_tool,
        set_tracing_disabled,
    )
    from openai import AsyncOpenAI

    set_tracing_disabled(True)

    @function_tool
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    client = AsyncOpenAI(base_url=base, api_key="any", max_retries=0)
    kind = OpenAIChatCompletionsModel if api == "chat" else OpenAIResponsesModel
    agent = Agent(name="a", instructions="Be brief.", tools=[add], model=kind(model=MODEL, openai_client=client))

    async def main():
        whole = await Runner.run(agent, sim("Add.", model=PLAN))
        streamed = Runner.run_streamed(agent, sim("Add.", model=PLAN, chunk=5))
        async for _ in streamed.stream_events():
            pass
        return whole.final_output, streamed.final_output

    for output in asyncio.run(main()):
        assert "37" in output


def test_instructor(base, simulator):
    import instructor
    from openai import OpenAI

    for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON, instructor.Mode.JSON_SCHEMA):
        if mode == instructor.Mode.JSON:
            simulator.replies('Sure:\n```json\n{"name": "Ann", "tags": []}\n```')
        client = instructor.from_openai(OpenAI(base_url=base, api_key="any", max_retries=0), mode=mode)
        person = client.chat.completions.create(
            model=MODEL, response_model=Person, messages=[{"role": "user", "content": "Someone."}]
        )
        assert isinstance(person, Person)


def test_pydantic_ai(base, simulator):
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=base, api_key="any"))
    typed = Agent(model, output_type=Person)
    simulator.script(model={"steps": [{"calls": [{"call": "final_result", "with": {"name": "Ann", "tags": []}}]}]})
    assert typed.run_sync("Someone.").output == Person(name="Ann", tags=[])
    agent = Agent(model)

    @agent.tool_plain
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    assert "37" in agent.run_sync(sim("Add.", model=PLAN)).output


def test_langchain_anthropic(relay, simulator):
    from langchain.agents import create_agent
    from langchain_anthropic import ChatAnthropic
    from langchain_core.tools import tool

    @tool
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    for streaming in (False, True):
        model = ChatAnthropic(
            model="claude-sonnet-4-5", base_url=relay, api_key="any", max_retries=0, streaming=streaming
        )
        result = create_agent(model, [add]).invoke({"messages": [("user", sim("Add.", model=PLAN, chunk=6))]})
        assert "37" in result["messages"][-1].text
        assert isinstance(model.with_structured_output(Person).invoke("Someone."), Person)


ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("route", ["openai/gpt-4o-mini", "openai/responses/gpt-4o-mini", "anthropic/claude-sonnet-4-5"])
def test_litellm(relay, simulator, route, streamed, monkeypatch):
    # Else it looks for its price list on the network.
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    place = relay if route.startswith("anthropic/") else f"{relay}/v1"

    def ask(messages, **more):
        answer = litellm.completion(
            model=route, messages=messages, api_base=place, api_key="any", num_retries=0, stream=streamed, **more
        )
        answer = litellm.stream_chunk_builder(list(answer)) if streamed else answer
        return answer.choices[0].message

    messages = [{"role": "user", "content": sim("Add.", model=PLAN, chunk=6)}]
    rounds = 0
    while (answer := ask(messages, tools=[ADD])).tool_calls:
        rounds += 1
        messages.append(answer.model_dump())
        for call in answer.tool_calls:
            sides = json.loads(call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": str(sides["a"] + sides["b"])})
    assert (rounds, "37" in answer.content) == (2, True)

    person = ask([{"role": "user", "content": "Someone."}], response_format=Person)
    Person.model_validate_json(person.content)

    broken = sim("Hi", tokens=40, fault="cut", after=10, delay_ms=2)
    with pytest.raises(Exception, match="broke off"):
        ask([{"role": "user", "content": broken}])
