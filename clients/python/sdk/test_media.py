"""The official OpenAI SDK draws, changes, speaks, listens and keeps files."""

import base64
import io
import struct
import wave
import zlib

import openai
import pytest
from conftest import sim


def png(width=8, height=8):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + b"\x10\x80\xf0" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def wav(seconds=0.2):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(8000 * seconds))
    return out.getvalue()


@pytest.fixture
def client(relay):
    return openai.OpenAI(base_url=f"{relay}/v1", api_key="any", max_retries=0)


def test_pictures_by_url_and_as_bytes(client, simulator):
    by_url = client.images.generate(model="qwen-image-plus", prompt="a cat")
    assert by_url.data[0].url.startswith("http")
    as_bytes = client.images.generate(model="qwen-image-plus", prompt="a cat", response_format="b64_json")
    assert base64.b64decode(as_bytes.data[0].b64_json)[:4] in (b"\x89PNG", b"RIFF", b"\xff\xd8\xff\xe0")
    assert client.images.generate(model="gpt-image-1", prompt="a cat").data[0].b64_json


def test_flags_of_a_prompt_are_knobs(client, simulator):
    drawn = client.images.generate(model="black-forest-labs/flux-dev", prompt="a cat --ar 16:9 --no dogs")
    assert drawn.data[0].revised_prompt == "a cat"
    (entry,) = simulator.journal("/api/features")
    assert "--ar" not in str(entry["body"]) and "16:9" in str(entry["body"])


def test_a_size_that_a_model_lacks_is_refused_with_those_it_has(client, simulator):
    with pytest.raises(openai.BadRequestError) as raised:
        client.images.generate(model="gpt-image-1", prompt="a cat", size="1024x777")
    assert "1024x1024" in str(raised.value) and raised.value.param == "size"
    assert simulator.journal("/api/features") == []


def test_a_streamed_picture_is_its_final_event(client, simulator):
    events = list(client.images.generate(model="gpt-image-1", prompt="a cat", stream=True))
    assert events[-1].type == "image_generation.completed" and events[-1].b64_json


def test_a_picture_is_changed_and_varied(client, simulator):
    edited = client.images.edit(model="gpt-image-1", image=("a.png", png(), "image/png"), prompt="blue")
    assert edited.data[0].b64_json
    varied = client.images.create_variation(model="dall-e-2", image=("a.png", png(), "image/png"))
    assert varied.data[0].url
    with pytest.raises(openai.BadRequestError):
        client.images.edit(model="gpt-image-1", image=("a.png", b"no picture", "image/png"), prompt="blue")


def test_a_text_is_spoken(client, simulator):
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="Hello") as answer:
        assert answer.headers["content-type"].startswith("audio/")
        assert len(answer.read()) > 100
    assert client.audio.speech.create(model="tts-1", voice="nova", input="Hello", response_format="wav").read()[:4] == b"RIFF"
    with pytest.raises(openai.BadRequestError) as raised:
        client.audio.speech.create(model="tts-1", voice="nobody", input="Hello")
    assert "alloy" in str(raised.value)


def test_a_recording_is_written_down_in_every_form(client, simulator):
    def ask(**more):
        return client.audio.transcriptions.create(model="whisper-1", file=("a.wav", wav(), "audio/wav"), **more)

    assert ask().text
    assert isinstance(ask(response_format="text"), str)
    assert "-->" in ask(response_format="srt")
    assert ask(response_format="vtt").startswith("WEBVTT")
    assert ask(response_format="verbose_json").segments is not None
    assert "".join(e.delta for e in ask(stream=True) if e.type == "transcript.text.delta")
    translated = client.audio.translations.create(model="whisper-1", file=("a.wav", wav(), "audio/wav"))
    assert translated.text
    for bad in (b"", b"no recording at all"):
        with pytest.raises(openai.BadRequestError):
            client.audio.transcriptions.create(model="whisper-1", file=("a.wav", bad, "audio/wav"))


def test_files_are_kept_listed_used_and_deleted(relay, client, simulator):
    file = client.files.create(file=("notes.txt", b"remember the milk"), purpose="user_data")
    assert client.files.retrieve(file.id).filename == "notes.txt"
    assert client.files.content(file.id).read() == b"remember the milk"
    assert file.id in [entry.id for entry in client.files.list()]
    client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": [{"type": "text", "text": "?"}, {"type": "file", "file": {"file_id": file.id}}]}],
    )
    assert '"files"' in simulator.prompts()[0]
    stranger = openai.OpenAI(base_url=f"{relay}/v1", api_key="another", max_retries=0)
    with pytest.raises(openai.NotFoundError):
        stranger.files.retrieve(file.id)
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_every_page_of_files_comes_once(client, simulator):
    kept = [client.files.create(file=(f"{n}.txt", b"x"), purpose="evals").id for n in range(5)]
    listed = [file.id for file in client.files.list(limit=2, purpose="evals", order="asc")]
    assert listed == kept
    for id in kept:
        client.files.delete(id)
    assert list(client.files.list(purpose="evals")) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_assistant_is_made_changed_and_a_model(client, simulator):
    made = client.beta.assistants.create(model="gpt-4o-mini", name="Poet", instructions="answer in rhymes")
    assert client.beta.assistants.update(made.id, name="Bard").name == "Bard"
    assert made.id in [entry.id for entry in client.beta.assistants.list(limit=1)]
    client.chat.completions.create(model=made.id, messages=[{"role": "user", "content": "Hello"}])
    client.responses.create(model=made.id, input="Hello")
    assert all("answer in rhymes" in prompt for prompt in simulator.prompts())
    assert client.beta.assistants.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.beta.assistants.retrieve(made.id)


def test_a_picture_in_a_message_is_changed(client, simulator):
    shown = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(png(17)).decode()}}
    content = [{"type": "text", "text": "make it night"}, shown]
    answer = client.chat.completions.create(model="gpt-image-1", messages=[{"role": "user", "content": content}])
    assert "](http" in answer.choices[0].message.content
    (entry,) = simulator.journal("/api/features")
    assert entry["body"]["type"] == "IMAGE_EDITOR"


def test_several_pictures_are_looked_at_or_refused(client, simulator):
    # Uploads are remembered, and the simulator forgets: other pictures than elsewhere.
    pictures = [("a.png", png(18), "image/png"), ("b.png", png(19), "image/png")]
    changed = client.images.edit(model="gemini-2.5-flash-image-preview", image=pictures, prompt="both")
    assert changed.data[0].url
    with pytest.raises(openai.BadRequestError) as raised:
        client.images.edit(model="gpt-image-1", image=pictures, prompt="both")
    assert "one image" in str(raised.value)
    assert len(simulator.journal("/api/features")) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_chat_is_a_door_to_media(client, simulator, stream):
    def say(model, messages):
        answer = client.chat.completions.create(model=model, messages=messages, stream=stream)
        if not stream:
            return answer.choices[0].message.content
        return "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)

    drawn = say("qwen-image-plus", [{"role": "user", "content": "a cat"}])
    assert drawn.startswith("![Variation 1](http") and "[_V1_]" in drawn
    history = [{"role": "user", "content": "a cat"}, {"role": "assistant", "content": drawn}, {"role": "user", "content": "[_V1_]"}]
    assert "](http" in say("magic-art", history)
    assert "](http" in say("tts-1", [{"role": "user", "content": "Hello"}])
    audio = {"type": "input_audio", "input_audio": {"data": base64.b64encode(wav(0.3 + stream)).decode(), "format": "wav"}}
    assert say("whisper-1", [{"role": "user", "content": [audio]}])


def test_a_video_is_made_and_fetched(client, simulator):
    video = client.videos.create_and_poll(
        model="kling", prompt="a cat", seconds="5", input_reference=("a.png", png(20), "image/png")
    )
    assert video.status == "completed" and video.progress == 100 and video.seconds == "5"
    content = client.videos.download_content(video.id).read()
    assert content[4:8] == b"ftyp"
    assert video.id in [listed.id for listed in client.videos.list(limit=5)]
    assert client.videos.delete(video.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(video.id)
    with pytest.raises(openai.BadRequestError) as raised:
        client.videos.create(model="kling", prompt="a cat", seconds="7")
    assert raised.value.param == "seconds"
    (entry,) = simulator.journal("/api/features")
    assert entry["body"]["type"] == "IMAGE_TO_VIDEO" and entry["body"]["async"]


def test_a_recording_in_a_message_is_heard_once(client, simulator):
    audio = {"type": "input_audio", "input_audio": {"data": base64.b64encode(wav(0.5)).decode(), "format": "wav"}}
    for _ in range(2):
        client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": [{"type": "text", "text": "What is said?"}, audio]}]
        )
    assert len(simulator.journal("/api/features")) == 1
    assert "audio transcript" in simulator.prompts()[0]
