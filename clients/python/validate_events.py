"""Checks JSON documents and event streams against the types of OpenAI's and Anthropic's Python SDKs.

    python validate_events.py FILE_OR_FOLDER...

Every file (of a folder: those that are answers) is read by its ending: `.sse` is a stream, `.json`
one document or an object of lists of events by name. A document's type is taken from its `object`
or `type`, an event's from its `type`. The types are made strict first: a missing required field, an
unknown field (but for those that the relay adds on purpose, where it adds them) and a value of
another type are all mistakes. So are a stream whose events are not named, not numbered on, or do
not end once. Exits with 1 if there is any.
"""

import copy
import functools
import json
import pathlib
import sys
import types
import typing

import pydantic
from anthropic import types as anthropic_types
from openai import types as openai_types
from openai.types import chat, conversations, responses, shared
from openai.types.responses import input_token_count_response

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


class ErrorDocument(pydantic.BaseModel):
    """OpenAI's failure, as a document and as an event of a stream."""

    error: shared.ErrorObject


class CustomInput(pydantic.BaseModel):
    """A piece of a custom tool's call."""

    name: str | None = None
    input: str


class CustomCall(pydantic.BaseModel):
    """A call of a custom tool in a chunk, which the service sends and the SDK's type of chunks
    does not know."""

    index: int
    id: str | None = None
    type: typing.Literal["custom"] | None = None
    custom: CustomInput


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
            kind.__name__, __config__=pydantic.ConfigDict(extra="forbid", strict=True), **fields
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
    """A document or event less what the relay adds to it, and what that is, each with its type. OpenAI's own
    responses tell whether they are stored, too; its SDK does not name the field."""
    value, ours = copy.deepcopy(value), []
    response = value.get("response", value)
    if isinstance(response, dict) and response.get("object") == "response" and "store" in response:
        ours.append((response.pop("store"), bool))
    choices = value.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        message = choice.get("delta", choice.get("message"))
        if not isinstance(message, dict):
            continue
        if "reasoning_content" in message:
            ours.append((message.pop("reasoning_content"), str))
        calls = message.get("tool_calls")
        if "delta" in choice and isinstance(calls, list):
            ours += [(call, CustomCall) for call in calls if "custom" in call]
            message["tool_calls"] = [call for call in calls if "custom" not in call]
    return value, ours


def mistakes(value, kind):
    try:
        # As JSON, where times are strings.
        adapter(kind).validate_json(json.dumps(value), strict=True)
    except pydantic.ValidationError as error:
        # A union tells of each of its members; the first ones are enough to find the place.
        told = error.errors()[:5]
        return [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in told]
    return []


def check(value):
    """What is wrong with a document or an event."""
    kind = kind_of(value)
    if kind is None:
        return [f"no type for {value.get('object') or value.get('type')}"]
    value, ours = without_ours(value)
    return mistakes(value, kind) + [wrong for part in ours for wrong in mistakes(*part)]


def kind_of(value):
    """The type of a document or an event; what is an `error` differs between the vendors."""
    if "error" in value and "type" not in value and "object" not in value:
        return ErrorDocument
    if value.get("type") == "error" and "error" in value:
        return anthropic_types.ErrorResponse
    if value.get("type") == "message" and "usage" in value:
        return anthropic_types.Message
    if value.get("type") == "model":
        return anthropic_types.ModelInfo
    return DOCUMENTS.get(value.get("object")) or events().get(value.get("type"))


# The events that end a stream, by its dialect; a chat's end is a line of its own.
LAST = {
    "response": {"response.completed", "response.incomplete", "response.failed"},
    "message": {"message_stop", "error"},
}


def check_order(named):
    """What is wrong with a stream as a whole: its events, each with its name on the wire."""
    names = [name for name, _ in named]
    first = next(iter(named), (None, None))[0]
    if first is None:
        return [f"the event {name} has a name" for name in names if name]
    wrong = [f"{value.get('type')} is named {name}" for name, value in named if name != value.get("type")]
    dialect, starts = ("response", "response.created") if first.startswith("response.") else ("message", "message_start")
    if first != starts:
        wrong.append(f"it begins with {first}")
    if [name in LAST[dialect] for name in names] != [False] * (len(names) - 1) + [True]:
        wrong.append("it does not end once, with its last event")
    numbers = [value.get("sequence_number") for _, value in named]
    if dialect == "response" and numbers != list(range(len(named))):
        wrong.append(f"its events are numbered {numbers}")
    return wrong


def frames(text):
    """The events of a stream, each with its name; comments and the end of a chat are left out."""
    for frame in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in frame.split("\n") if line and not line.startswith(":"))
        if fields.get("data", "[DONE]") != "[DONE]":
            yield fields.get("event"), json.loads(fields["data"])


def values(path):
    """Each document or event of a file, with its place; and what is wrong with it as a whole."""
    text = path.read_text()
    if path.suffix == ".sse":
        named = list(frames(text))
        return [(f"event {at}", value) for at, (_, value) in enumerate(named)], check_order(named)
    value = json.loads(text)
    if "object" in value or "type" in value or "error" in value:
        return [("document", value)], []
    found, wrong = [], []
    for name, entries in value.items():
        found += [(f"{name}, {at}", entry) for at, entry in enumerate(entries)]
        wrong += [f"{name}: {what}" for what in check_order([(entry["type"], entry) for entry in entries])]
    return found, wrong


def files(name):
    """The answers of a folder, or the one file. Ollama's are read by its own library, in frameworks/."""
    path = pathlib.Path(name)
    if not path.is_dir():
        return [path]
    answers = sorted(path.glob("*.sse")) + sorted(path.glob("*.json"))
    return [answer for answer in answers if ".ollama_" not in answer.name]


def main(names):
    checked, wrong = 0, []
    for path in (path for name in names for path in files(name)):
        found, whole = values(path)
        checked += len(found)
        wrong += [f"{path}: {what}" for what in whole]
        wrong += [f"{path}: {place}: {what}" for place, value in found for what in check(value)]
    print(*wrong, f"{checked} checked, {len(wrong)} mistakes", sep="\n")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
