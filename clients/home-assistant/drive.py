"""Sets Home Assistant up as its owner does, by its HTTP API: the integrations LiteLLM, llama.cpp and Ollama on the relay, a
light turned on by each, an AI task, speech to text."""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HOME = sys.argv[1]
RELAY, SIMULATOR = os.environ["RELAY_URL"], os.environ["SIMULATOR_URL"]
MODEL = "gpt-4o-mini"
TURN_ON = {"steps": [{"calls": [{"call": "HassTurnOn", "with": {"name": "Kitchen light"}}]}, {"text": "Done: {{results}}"}]}
token = None


def ask(method, path, body=None, data=None, headers=None, base=HOME):
    headers = {**(headers or {})}
    if token and base == HOME:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    request = urllib.request.Request(base + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=90) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def wait_for(what, seconds=90):
    until = time.time() + seconds
    while True:
        try:
            if found := what():
                return found
        except (urllib.error.URLError, ConnectionError):
            pass
        if time.time() > until:
            raise SystemExit(f"{what.__doc__ or 'something'} did not come")
        time.sleep(0.5)


def sign_in():
    global token
    user = {"client_id": f"{HOME}/", "name": "Ann", "username": "ann", "password": "a password", "language": "en"}
    code = wait_for(lambda: ask("POST", "/api/onboarding/users", user))["auth_code"]
    form = {"client_id": f"{HOME}/", "grant_type": "authorization_code", "code": code}
    token = ask("POST", "/auth/token", data=urllib.parse.urlencode(form).encode())["access_token"]


def states(domain):
    return {state["entity_id"]: state["state"] for state in ask("GET", "/api/states") if state["entity_id"].startswith(domain)}


def integrate(handler, *steps):
    flow = ask("POST", "/api/config/config_entries/flow", {"handler": handler})
    for step in steps:
        flow = ask("POST", f"/api/config/config_entries/flow/{flow['flow_id']}", step)
    assert flow["type"] == "create_entry", flow
    return flow["result"]["entry_id"]


def add(entry, kind, fields):
    before = set(states(""))
    path = "/api/config/config_entries/subentries/flow"
    flow = ask("POST", path, {"handler": [entry, kind]})
    flow = ask("POST", f"{path}/{flow['flow_id']}", fields)
    assert flow["type"] == "create_entry", flow
    domain = {"ai_task_data": "ai_task."}.get(kind, f"{kind}.")
    return wait_for(lambda: [name for name in states(domain) if name not in before])[0]


def simulator(method, path, body=None):
    return ask(method, path, body, base=SIMULATOR)


def turns_the_light_on(agent):
    simulator("POST", "/_sim/reset", {})
    ask("POST", "/api/services/input_boolean/turn_off", {"entity_id": "input_boolean.lamp"})
    asked = {"text": f"Turn on the kitchen light. [[sim {json.dumps({'model': TURN_ON})}]]", "agent_id": agent, "language": "en"}
    said = ask("POST", "/api/conversation/process", asked)["response"]["speech"]["plain"]["speech"]
    assert said.startswith("Done:") and "Kitchen light" in said, said
    wait_for(lambda: states("light.")["light.kitchen_light"] == "on", 5)
    assert len(simulator("GET", "/_sim/journal?path=/api/chat-with-ai")["entries"]) == 2
    print(f"{agent} turned the light on")


def is_told_of(agent, fault, words):
    simulator("POST", "/_sim/reset", {})
    simulator("POST", "/_sim/faults", {"fault": fault, "times": 0})
    asked = {"text": "Hello", "agent_id": agent, "language": "en"}
    said = ask("POST", "/api/conversation/process", asked)["response"]["speech"]["plain"]["speech"]
    simulator("POST", "/_sim/reset", {})
    assert words in said, said
    print(f"{agent} says of {fault}: {said[:60]}…")


sign_in()
wait_for(lambda: "light.kitchen_light" in states("light."))
litellm = integrate("litellm", {"url": RELAY, "api_key": "any"})
agent = add(litellm, "conversation", {"model": MODEL, "prompt": "You control a home.", "llm_hass_api": ["assist"]})
turns_the_light_on(agent)
is_told_of(agent, "insufficient-credits", "Error talking to API")

before = set(states("conversation."))
integrate("llama_cpp", {"base_url": f"{RELAY}/v1", "api_key": "any"}, {"chat_model": "gpt-4o"})
agent = wait_for(lambda: [name for name in states("conversation.") if name not in before])[0]
turns_the_light_on(agent)
is_told_of(agent, "insufficient-credits", "insufficient credits")
is_told_of(agent, "cut", "broke off")

ollama = integrate("ollama", {"url": RELAY, "api_key": "any"})
options = {"model": MODEL, "num_ctx": 8192, "max_history": 20, "keep_alive": -1, "think": False}
turns_the_light_on(add(ollama, "conversation", {"name": "Ollama", "llm_hass_api": ["assist"], **options}))
task = add(ollama, "ai_task_data", {"name": "Task", **options})
structure = {"name": {"selector": {"text": {}}, "required": True}, "age": {"selector": {"number": {"min": 0, "max": 120}}}}
asked = {"task_name": "t", "entity_id": task, "instructions": "Someone.", "structure": structure}
data = ask("POST", "/api/services/ai_task/generate_data?return_response", asked)["service_response"]["data"]
assert isinstance(data["name"], str), data
print(f"{task} gave {data}")

hears = add(litellm, "stt", {"model": "whisper-1"})
speech = "format=wav; codec=pcm; sample_rate=16000; bit_rate=16; channel=1; language=en-US"
heard = ask("POST", f"/api/stt/{hears}", data=bytes(32_000), headers={"X-Speech-Content": speech})
assert heard["result"] == "success" and "audio.wav" in heard["text"], heard
print(f"{hears} heard: {heard['text']}")
