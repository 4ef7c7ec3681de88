"""A real ComfyUI on a free loopback port, with scratch folders, and a client for its API."""

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

import websocket
from find_comfyui import PACK, comfyui, interpreter
from PIL import Image
from safetensors.torch import load_file

START_SECONDS = 180
PROBES = sorted(Path(__file__).absolute().parent.glob("probe_*.py"))


class ServerError(AssertionError):
    """The server did not start, or a prompt failed; the message holds what it said."""


class Server:
    """Started once for a test session. The pack is loaded from its real path."""

    def __init__(self, scratch: Path, *extra: str):
        self.host = comfyui()
        self.base = scratch
        for folder in ("custom_nodes", "input", "output", "models", "user", "temp"):
            (scratch / folder).mkdir(parents=True, exist_ok=True)
        for probe in PROBES:
            shutil.copy(probe, scratch / "custom_nodes")
        config = scratch / "paths.yaml"
        config.write_text(f"tests:\n    base_path: {PACK.parent}\n    custom_nodes: .\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = scratch / "server.log"
        command = [
            str(interpreter(self.host)), "main.py", "--cpu", "--listen", "127.0.0.1",
            "--port", str(self.port), "--base-directory", str(scratch),
            "--database-url", "sqlite:///:memory:", "--disable-api-nodes",
            "--extra-model-paths-config", str(config),
            "--disable-all-custom-nodes", "--whitelist-custom-nodes", PACK.name,
            *(probe.name for probe in PROBES),
            "--preview-method", "latent2rgb", *extra,
        ]  # fmt: skip
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        self._out = self.log.open("w")
        self.process = subprocess.Popen(
            command, cwd=self.host, stdout=self._out, stderr=subprocess.STDOUT, env=clean
        )
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServerError(f"ComfyUI ended at once:\n{self.tail()}")
            with contextlib.suppress(OSError):
                self.get("/system_stats")
                return
            time.sleep(0.5)
        self.stop()
        raise ServerError(f"ComfyUI did not answer in {START_SECONDS} s:\n{self.tail()}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._out.close()

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    # requests

    def get(self, path):
        with urllib.request.urlopen(self.url(path), timeout=60) as answer:
            return json.loads(answer.read())

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def post(self, path, data):
        """(status, JSON answer)."""
        request = urllib.request.Request(
            self.url(path), json.dumps(data).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                body = answer.read()
                return answer.status, json.loads(body) if body.strip() else {}
        except urllib.error.HTTPError as e:
            return e.code, json.loads(e.read() or b"{}")

    def put_input(self, path, name=None):
        """Copies a file into the input folder; returns its name there."""
        name = name or Path(path).name
        shutil.copyfile(path, self.base / "input" / name)
        return name

    def run(self, prompt, timeout=300, on_event=None, on_bytes=None, workflow=None):
        """Runs an API prompt to its end. {node: outputs}; raises ServerError where it fails.

        on_event gets every JSON message, on_bytes every binary one, such as previews.
        workflow: what the editor would send along.
        """
        client = uuid.uuid4().hex
        events = websocket.create_connection(
            f"ws://127.0.0.1:{self.port}/ws?clientId={client}", timeout=timeout
        )
        try:
            asked = {"prompt": prompt, "client_id": client}
            if workflow is not None:
                asked["extra_data"] = {"extra_pnginfo": {"workflow": workflow}}
            status, answer = self.post("/prompt", asked)
            if status != 200 or answer.get("node_errors"):
                raise ServerError(json.dumps(answer, indent=1))
            wanted = answer["prompt_id"]
            while True:
                message = events.recv()
                if not isinstance(message, str):
                    if on_bytes:
                        on_bytes(message)
                    continue
                message = json.loads(message)
                data = message.get("data", {})
                if on_event:
                    on_event(message)
                if data.get("prompt_id") != wanted:
                    continue
                if message["type"] == "execution_error":
                    raise ServerError(data["exception_message"].strip())
                if message["type"] == "execution_interrupted":
                    raise ServerError("interrupted")
                if message["type"] == "executing" and data["node"] is None:
                    break
        finally:
            events.close()
        return self.finished(wanted)["outputs"]

    def finished(self, prompt_id, seconds=5):
        """The history of a prompt, once it has one: its status and outputs."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            history = self.get(f"/history/{prompt_id}")
            if prompt_id in history:
                return history[prompt_id]
            time.sleep(0.1)
        raise ServerError(f"prompt {prompt_id} is not in the history after {seconds} s")

    def latents(self, prompt, **kwargs):
        """The latents a prompt saves, in node order."""
        return self.saved(self.run(prompt, **kwargs))

    def saved(self, outputs):
        """The latents that a run saved, in node order."""
        files = [item for n in sorted(outputs, key=int) for item in outputs[n].get("latents", [])]
        return [
            load_file(self.base / "output" / item["subfolder"] / item["filename"])["latent_tensor"]
            for item in files
        ]

    def images(self, prompt, **kwargs):
        """The pictures a prompt saves, as PIL images, in node order. Previews are none of them."""
        return self.pictures(self.run(prompt, **kwargs))

    def pictures(self, outputs):
        """The pictures that a run saved."""
        found = []
        for node in sorted(outputs, key=int):
            for item in outputs[node].get("images", []):
                if item["type"] != "output":
                    continue
                query = urllib.parse.urlencode(
                    {k: item[k] for k in ("filename", "subfolder", "type")}
                )
                with urllib.request.urlopen(self.url(f"/view?{query}"), timeout=60) as answer:
                    found.append(Image.open(io.BytesIO(answer.read())).convert("RGB"))
        return found
