"""The check of answers against the SDKs' types finds what it is there to find."""

import copy
import pathlib
import sys

import pydantic
import pytest

ROOT = pathlib.Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "clients/python"))

import validate_events as validation  # noqa: E402

REPLIES = ROOT / "crates/translate/testdata/replies"
STREAMS = ROOT / "crates/translate/testdata/responses/streams.json"

# Below these, what the client or the model wrote stands as it is.
FREE = {"parameters", "schema", "input", "metadata", "properties"}

EVENTS = {
    *(f"response.{name}" for name in """
        created in_progress completed incomplete failed output_item.added output_item.done content_part.added
        content_part.done output_text.delta output_text.done refusal.delta refusal.done reasoning_text.delta
        reasoning_text.done reasoning_summary_part.added reasoning_summary_part.done reasoning_summary_text.delta
        reasoning_summary_text.done function_call_arguments.delta function_call_arguments.done
        custom_tool_call_input.delta custom_tool_call_input.done web_search_call.in_progress
        web_search_call.searching web_search_call.completed
    """.split()),
    *"message_start content_block_start content_block_delta content_block_stop message_delta message_stop error".split(),
}


def shape(value):
    """The keys of a document, all the way down: two of the same shape need be looked at once."""
    if isinstance(value, dict):
        return tuple((key, value[key] if key == "type" else shape(value[key])) for key in value)
    return tuple({shape(entry) for entry in value}) if isinstance(value, list) else type(value).__name__


@pytest.fixture(scope="module")
def answers():
    """One document or event of each shape among the golden files."""
    paths = [path for name in (REPLIES, STREAMS) for path in validation.files(name)]
    found = [value for path in paths for _, value in validation.values(path)[0]]
    return list({shape(value): value for value in found}.values())


def places(value, path=()):
    """Every typed object of a document, by its path."""
    if isinstance(value, dict):
        yield path
        for key, entry in value.items():
            if key not in FREE:
                yield from places(entry, (*path, key))
    elif isinstance(value, list):
        for at, entry in enumerate(value):
            yield from places(entry, (*path, at))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def changed(value, path, change):
    value = copy.deepcopy(value)
    change(at(value, path))
    return value


def is_free(path):
    """Places of which the SDK says no more than that they are objects."""
    return "tool_choice" in path and "tools" in path


def objections(kind, value):
    """What the SDK itself has against a document."""
    try:
        kind.model_validate(validation.without_ours(value)[0])
    except pydantic.ValidationError as error:
        return {entry["loc"] for entry in error.errors()}
    return set()


def test_every_event_that_is_written_is_among_them(answers):
    assert EVENTS <= {value.get("type") for value in answers}


def test_an_unknown_field_is_a_mistake_wherever_it_stands(answers):
    for value in answers:
        for path in places(value):
            if not is_free(path):
                odd = changed(value, path, lambda fields: fields.update(odd=1))
                assert validation.check(odd), (path, value)


def test_our_own_fields_are_ours_only_where_we_add_them(answers):
    for value in answers:
        for path in places(value):
            if path and not is_free(path):
                assert validation.check(changed(value, path, lambda fields: fields.update(reasoning_content=1))), path


def test_a_missing_field_is_a_mistake_if_the_sdk_needs_it(answers):
    needed = 0
    for value in answers:
        kind = validation.kind_of(value)
        for path in places(value):
            for key in at(value, path):
                # An `error` of Anthropic's without its type is one of OpenAI's that is not whole.
                less = changed(value, path, lambda fields, key=key: fields.pop(key))
                if validation.kind_of(less) in (kind, None) and objections(kind, less) - objections(kind, value):
                    needed += 1
                    assert validation.check(less), (path, key, value)
    assert needed > 200


def test_a_value_of_another_type_is_a_mistake(answers):
    for value in answers:
        for path in places(value):
            if is_free(path):
                continue
            for key, entry in at(value, path).items():
                if isinstance(entry, (bool, int, float)):
                    other = changed(value, path, lambda fields, key=key: fields.update({key: str(fields[key]).lower()}))
                    assert validation.check(other), (path, key, value)


@pytest.mark.parametrize("dialect", ["responses", "messages"])
def test_a_stream_out_of_order_is_a_mistake(dialect):
    named = list(validation.frames((REPLIES / f"two_parallel_calls.{dialect}.sse").read_text()))
    assert validation.check_order(named) == []
    misnamed = [("x", named[0][1]), *named[1:]]
    for wrong in (named[:-1], named[1:], [*named, named[-1]], misnamed):
        assert validation.check_order(wrong), wrong


def test_events_of_a_chat_have_no_names():
    named = list(validation.frames((REPLIES / "plain.chat.sse").read_text()))
    assert validation.check_order(named) == []
    assert validation.check_order([*named, ("message", named[0][1])])
