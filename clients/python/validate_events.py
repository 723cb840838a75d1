"""Checks JSON documents and event streams against the types of OpenAI's and Anthropic's Python SDKs.

    python validate_events.py FILE_OR_FOLDER...

Every file (of a folder: those that are answers) is read by its ending: `.sse` is a stream, `.json`
one document or an object of lists of events by name. A document's type is taken from its `object`
or `type`, an event's from its `type`. The types are made strict first: a missing required field, an unknown field (but for those
that the relay adds on purpose) and a value of another type are all mistakes. Exits with 1 if there is any.
"""

import functools
import json
import pathlib
import sys
import types
import typing

import pydantic
from anthropic import types as anthropic_types
from openai import types as openai_types
from openai.types import chat, conversations, responses
from openai.types.responses import input_token_count_response

OURS = {"x_relay", "reasoning_content"}

# Fields that the service itself leaves null in a stream, whatever the type says.
NULLABLE = {("CompletionChoice", "finish_reason")}

DOCUMENTS = {
    "response": responses.Response,
    "response.input_tokens": input_token_count_response.InputTokenCountResponse,
    "conversation": conversations.Conversation,
    "conversation.deleted": conversations.ConversationDeletedResource,
    "list": responses.ResponseItemList,
    "text_completion": openai_types.Completion,
    "chat.completion": chat.ChatCompletion,
    "chat.completion.chunk": chat.ChatCompletionChunk,
}

STREAMED = (responses.ResponseStreamEvent, anthropic_types.RawMessageStreamEvent)


@functools.cache
def strict(kind):
    """The same type with unknown fields forbidden, all the way down."""
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        fields = {
            name: (
                annotation(kind, name, field),
                pydantic.Field(field.default, alias=field.alias),
            )
            for name, field in kind.model_fields.items()
        }
        return pydantic.create_model(
            kind.__name__, __config__=pydantic.ConfigDict(extra="forbid"), **fields
        )
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return strict(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(strict(argument) for argument in arguments)]
    if origin in (list, dict):
        return origin[tuple(strict(argument) for argument in arguments)]
    return kind


def annotation(kind, name, field):
    plain = strict(field.annotation)
    return typing.Optional[plain] if (kind.__name__, name) in NULLABLE else plain


@functools.cache
def adapter(kind):
    return pydantic.TypeAdapter(strict(kind))


@functools.cache
def events():
    """The type of each event by its name."""
    kinds = [kind for union in STREAMED for kind in typing.get_args(typing.get_args(union)[0])]
    return {typing.get_args(kind.model_fields["type"].annotation)[0]: kind for kind in kinds}


def without_ours(value):
    if isinstance(value, list):
        return [without_ours(entry) for entry in value]
    if isinstance(value, dict):
        return {key: without_ours(entry) for key, entry in value.items() if key not in OURS}
    return value


def mistakes(value, kind):
    try:
        adapter(kind).validate_python(without_ours(value))
    except pydantic.ValidationError as error:
        # A union tells of each of its members; the first ones are enough to find the place.
        told = error.errors()[:5]
        return [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in told]
    return []


def check(value):
    """What is wrong with a document or an event."""
    if "error" in value and "type" not in value and "object" not in value:
        return []
    if is_custom_call(value):
        return []
    kind = kind_of(value)
    if kind is None:
        return [f"no type for {value.get('object') or value.get('type')}"]
    return mistakes(value, kind)


def kind_of(value):
    """The type of a document or an event; what is an `error` differs between the vendors."""
    if value.get("type") == "error" and "error" in value:
        return anthropic_types.ErrorResponse
    if value.get("type") == "message" and "usage" in value:
        return anthropic_types.Message
    return DOCUMENTS.get(value.get("object")) or events().get(value.get("type"))


def is_custom_call(value):
    """Whether it is a chunk with a call of a custom tool, which the service sends and the SDK's
    type of chunks does not know."""
    if value.get("object") != "chat.completion.chunk":
        return False
    calls = [call for choice in value["choices"] for call in choice["delta"].get("tool_calls") or []]
    return any("custom" in call for call in calls)


def values(path):
    """Each document or event of a file, with its place."""
    text = path.read_text()
    if path.suffix == ".sse":
        lines = [line for line in text.split("\n") if line.startswith("data: {")]
        yield from ((f"event {at}", json.loads(line[6:])) for at, line in enumerate(lines))
        return
    value = json.loads(text)
    if "object" in value or "type" in value or "error" in value:
        yield "document", value
        return
    for name, entries in value.items():
        for at, entry in enumerate(entries if isinstance(entries, list) else [entries]):
            yield f"{name}, {at}", entry


def files(name):
    """The answers of a folder, or the one file."""
    path = pathlib.Path(name)
    return sorted(path.glob("*.sse")) + sorted(path.glob("*.json")) if path.is_dir() else [path]


def main(names):
    checked, wrong = 0, 0
    for path in (path for name in names for path in files(name)):
        for place, value in values(path):
            checked += 1
            for mistake in check(value):
                wrong += 1
                print(f"{path}: {place}: {mistake}")
    print(f"{checked} checked, {wrong} mistakes")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
