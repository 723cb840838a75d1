#!/usr/bin/env python3
"""Two replicas behind nginx, one killed again and again under mixed load; then: what was promised.

bench/replicas.py --seconds 300 --every 20 [--relay PATH] [--simulator PATH]

Starts PostgreSQL, Redis, nginx, a simulator and two relays that share them. Clients ask for whole and streamed
answers, store responses, upload files, use a key with a budget and one with a rate limit, while every few seconds
one replica is killed (kill -9) and started again a little later. Fails if

- a stored response or a file that was acknowledged is not there afterwards, or is another;
- a stream ends as if it were complete and is not: without its terminator and without an error event;
- the key with the budget has spent more than its budget and what its last requests cost beyond their estimates;
- the key with the rate limit was served more often in a minute than it may;
- the ledger's sum of a key differs from what its rows say, or something is still held in the end.

nginx, postgresql and redis-server are Debian's packages.
"""
import argparse
import collections
import glob
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ADMIN = "an-admin-key-of-24-letters"
SECRET = "a secret of sixteen or more"
RPM = 120
BUDGET = 400_000
# Estimated before any answer of the model is known; what requests under way may cost beyond it is less.
OVERRUN = 50_000
REQUEST_TIMEOUT = 10


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=20, help="seconds between two kills")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--relay", type=os.path.abspath, default="target/release/1min-relay")
    parser.add_argument("--simulator", type=os.path.abspath, default="target/release/1min-simulator")
    return parser.parse_args()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, what):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"{what} did not start")


class Services:
    """Everything that runs beside the clients."""

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="replicas-")
        os.chmod(self.folder, 0o755)
        self.running = []
        self.relays = {}

    def spawn(self, command, **more):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | more
        process = subprocess.Popen(command, **quiet)
        self.running.append(process)
        return process

    def start(self):
        self.postgres()
        self.redis_port = free_port()
        self.spawn(["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder])
        wait_for(self.redis_port, "Redis")
        self.simulator_port = free_port()
        self.spawn([self.options.simulator, "--port", str(self.simulator_port)])
        wait_for(self.simulator_port, "the simulator")
        self.ports = [free_port(), free_port()]
        for port in self.ports:
            self.start_relay(port)
        self.nginx()

    def postgres(self):
        bins = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        program = lambda name: os.path.join(bins[-1], name) if bins else name
        user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.getuid() == 0 else []
        cluster = os.path.join(self.folder, "cluster")
        os.mkdir(cluster)
        if user:
            shutil.chown(cluster, "postgres", "postgres")
        made = [*user, program("initdb"), "-D", cluster, "-U", "postgres", "--auth", "trust", "-E", "UTF8", "--locale", "C.UTF-8"]
        subprocess.run(made, cwd="/tmp", check=True, stdout=subprocess.DEVNULL)
        self.postgres_port = free_port()
        self.spawn([*user, program("postgres"), "-D", cluster, "-h", "127.0.0.1", "-p", str(self.postgres_port), "-k", ""], cwd="/tmp")
        ready = [*user, program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.postgres_port)]
        for _ in range(200):
            if subprocess.run(ready, cwd="/tmp").returncode == 0:
                return
            time.sleep(0.1)
        sys.exit("PostgreSQL did not start")

    def start_relay(self, port):
        simulator = f"http://127.0.0.1:{self.simulator_port}"
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": f"postgres://postgres@127.0.0.1:{self.postgres_port}/postgres",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "COUNTERS": "redis",
            "RELAY_SECRET": SECRET,
            "ADMIN_KEY": ADMIN,
            "ONEMIN_API_KEYS": "family=key-a",
            "ONEMIN_BASE_URL": simulator,
            "ONEMIN_ASSET_URL": simulator,
            "REQUEST_TIMEOUT": str(REQUEST_TIMEOUT),
            "MEDIA_TIMEOUT": str(REQUEST_TIMEOUT),
            # Processes of one machine may share the folder with the contents of files.
            "DATA_DIR": os.path.join(self.folder, "data"),
        }
        log = open(os.path.join(self.folder, f"relay-{port}.log"), "ab")
        command = [self.options.relay, "--host", "127.0.0.1", "--port", str(port)]
        self.relays[port] = self.spawn(command, env=environment, cwd=self.folder, stdout=log, stderr=log)
        wait_for(port, "a relay")

    def nginx(self):
        self.port = free_port()
        servers = " ".join(f"server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;" for port in self.ports)
        config = f"""
daemon off; master_process off; pid {self.folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {self.folder}/nginx-bodies; proxy_temp_path {self.folder}/nginx-proxy;
  fastcgi_temp_path {self.folder}/nginx-f; uwsgi_temp_path {self.folder}/nginx-u; scgi_temp_path {self.folder}/nginx-s;
  upstream relays {{ {servers} keepalive 32; }}
  server {{
    listen 127.0.0.1:{self.port};
    location / {{
      proxy_pass http://relays;
      # With HTTP/1.0 a body that breaks off looks complete.
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 1000s;
    }}
  }}
}}
"""
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w") as file:
            file.write(config)
        self.spawn(["nginx", "-c", path, "-p", self.folder])
        wait_for(self.port, "nginx")

    def stop(self):
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Broken(Exception):
    """The connection broke off, which a client sees."""


def ask(port, key, method, path, body=None, content_type="application/json"):
    """Status and body; Broken if the answer did not come whole."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"authorization": f"Bearer {key}"}
    if body is not None:
        headers["content-type"] = content_type
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Broken(type(error).__name__) from error
    finally:
        connection.close()


def said(text, directive=None):
    if directive:
        text += f" [[sim {json.dumps(directive)}]]"
    return [{"role": "user", "content": text}]


class Load:
    """Clients that ask until they are told to stop, and remember what they were promised."""

    def __init__(self, port, keys):
        self.port = port
        self.keys = keys
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.silent = []
        self.responses = {}
        self.files = {}
        self.served = []

    def work(self, seed):
        draw = random.Random(seed)
        kinds = [self.whole, self.stream, self.stream, self.store, self.upload, self.budgeted, self.limited]
        while not self.over.is_set():
            kind = draw.choice(kinds)
            try:
                end = kind(draw)
            except Broken as broken:
                end = f"broke off ({broken})"
            with self.lock:
                self.counts[f"{kind.__name__}: {end}"] += 1

    def whole(self, draw):
        body = {"model": "gpt-4o-mini", "messages": said("Hi.")}
        return ask(self.port, self.keys["free"], "POST", "/v1/chat/completions", body)[0]

    def stream(self, draw):
        api = draw.choice(["chat", "messages", "responses"])
        script = {"tokens": 30, "delay_ms": 50}
        body = {"model": "gpt-4o-mini", "stream": True, "messages": said("Hi.", script)}
        path = "/v1/chat/completions"
        if api == "messages":
            body["max_tokens"], path = 900, "/v1/messages"
        if api == "responses":
            body = {"model": "gpt-4o-mini", "stream": True, "store": False, "input": said("Hi.", script)[0]["content"]}
            path = "/v1/responses"
        status, text = ask(self.port, self.keys["free"], "POST", path, body)
        if status != 200:
            return status
        ends = {"chat": b"data: [DONE]", "messages": b"event: message_stop", "responses": b"event: response.completed"}
        if ends[api] in text:
            return "complete"
        if b'"error"' in text or b"event: error" in text or b"response.failed" in text:
            return "error event"
        with self.lock:
            self.silent.append(f"{api}: …{text[-200:].decode(errors='replace')}")
        return "SILENT"

    def store(self, draw):
        body = {"model": "gpt-4o-mini", "input": "Hi."}
        status, text = ask(self.port, self.keys["free"], "POST", "/v1/responses", body)
        if status == 200:
            response = json.loads(text)
            if response.get("store", True):
                with self.lock:
                    self.responses[response["id"]] = response["output"]
        return status

    def upload(self, draw):
        content = draw.randbytes(draw.randrange(1, 200_000))
        form = b"".join([
            b'--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n',
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n',
            b"Content-Type: application/octet-stream\r\n\r\n", content, b"\r\n--B--\r\n",
        ])
        status, text = ask(self.port, self.keys["free"], "POST", "/v1/files", form, "multipart/form-data; boundary=B")
        if status == 200:
            with self.lock:
                self.files[json.loads(text)["id"]] = content
        return status

    def budgeted(self, draw):
        body = {"model": "gpt-4o-mini", "messages": said("Hi.")}
        return ask(self.port, self.keys["budgeted"], "POST", "/v1/chat/completions", body)[0]

    def limited(self, draw):
        began = time.time()
        body = {"model": "gpt-4o-mini", "messages": said("Hi.")}
        status, _ = ask(self.port, self.keys["limited"], "POST", "/v1/chat/completions", body)
        # What began in one minute and ended in another may count in either.
        if status == 200 and int(began) // 60 == int(time.time()) // 60:
            with self.lock:
                self.served.append(int(began) // 60)
        return status


def make_key(port, **fields):
    for _ in range(100):
        status, text = ask(port, ADMIN, "POST", "/v1/keys", fields)
        if status == 200:
            made = json.loads(text)
            return made["key"], made["data"]["hash"]
        time.sleep(0.1)
    sys.exit(f"no key was made: {status} {text[:300]}")


def kill_one(services, port, pause):
    services.relays[port].kill()
    services.relays[port].wait()
    time.sleep(pause)
    services.start_relay(port)


def patient(port, key, path):
    """An answer that is no failure of the moment."""
    for _ in range(20):
        try:
            status, body = ask(port, key, "GET", path)
            if status < 500:
                return status, body
        except Broken:
            pass
        time.sleep(0.5)
    return 0, b""


def check_objects(port, load):
    faults = []
    key = load.keys["free"]
    for name, output in load.responses.items():
        status, body = patient(port, key, f"/v1/responses/{name}")
        if status != 200 or json.loads(body)["output"] != output:
            faults.append(f"the response {name}: {status}")
    for name, content in load.files.items():
        status, body = patient(port, key, f"/v1/files/{name}/content")
        if status != 200 or body != content:
            faults.append(f"the file {name}: {status}")
    return faults


def check_limits(port, load, hashes):
    faults = []
    for minute, count in collections.Counter(load.served).items():
        if count > RPM:
            faults.append(f"{count} requests were served in a minute of {RPM}")
    # What dead processes held is booked when it expires: after the longest request and a minute.
    until = time.time() + REQUEST_TIMEOUT + 150
    told = {}
    while time.time() < until:
        told = json.loads(patient(port, ADMIN, f"/v1/keys/{hashes['budgeted']}")[1])["data"]
        report = json.loads(patient(port, ADMIN, f"/v1/usage?key={hashes['budgeted']}")[1])["data"]
        booked = sum(row["credits"] for row in report)
        agree = abs(booked - told["usage"]) < 0.5 and told["budgets"][0]["held"] < 0.5
        if agree:
            break
        time.sleep(2)
    else:
        faults.append(f"rows say {booked}, the key {told['usage']}, held {told['budgets'][0]['held']}")
    if told["usage"] > BUDGET + OVERRUN:
        faults.append(f"{told['usage']} credits were spent of {BUDGET}")
    print(f"the key with a budget of {BUDGET} has spent {told['usage']:.0f}")
    return faults


def main():
    options = arguments()
    services = Services(options)
    try:
        services.start()
        port = services.port
        free, _ = make_key(port, name="free")
        budgeted, of_budgeted = make_key(port, name="budgeted", budgets=[{"per": "total", "credits": BUDGET}])
        limited, _ = make_key(port, name="limited", rpm=RPM)
        time.sleep(3)
        load = Load(port, {"free": free, "budgeted": budgeted, "limited": limited})
        clients = [threading.Thread(target=load.work, args=(number,)) for number in range(options.clients)]
        for client in clients:
            client.start()
        until = time.time() + options.seconds
        kills = 0
        while time.time() + options.every < until:
            time.sleep(options.every)
            kill_one(services, services.ports[kills % 2], 3)
            kills += 1
        time.sleep(max(0.0, until - time.time()))
        load.over.set()
        for client in clients:
            client.join()
        for end, count in sorted(load.counts.items()):
            print(f"{count:>7} {end}")
        print(f"{kills} kills; {len(load.responses)} responses and {len(load.files)} files were acknowledged")
        faults = [f"a stream ended in silence: {end}" for end in load.silent]
        faults += check_objects(port, load)
        faults += check_limits(port, load, {"budgeted": of_budgeted})
        if kills == 0 or not load.responses or not load.files:
            faults.append("too little was done to prove anything")
        for fault in faults[:20]:
            print("FAILED:", fault)
        sys.exit(1 if faults else 0)
    finally:
        services.stop()


if __name__ == "__main__":
    main()
