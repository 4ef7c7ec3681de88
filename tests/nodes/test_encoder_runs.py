"""Encoders in a server that goes on: cancel, memory, and what is not computed again."""

import json
import statistics
import time

import pytest
from comfy_server import ServerError
from graph_encode import Fusing, entries

pytestmark = pytest.mark.host

FRAMES = 200


class Encoding(Fusing):
    def frames(self, number=1, side=64):
        size = {"height": side, "width": side, "channels": 3, "nan": False}
        return self.add("ProbePicture", number=number, **size)

    def video(self, number, folder="clip", side=64):
        encoder = self.add("MMC_LoadEncoder", folder=folder, kind="image")
        frames = self.frames(number, side)
        return self.add("MMC_EncodeVideo", frames=frames, encoder=encoder)


def memory(comfy):
    g = Encoding()
    probe, _ = g.add("ProbeMemory")
    return json.loads(comfy.run(g.prompt)[probe]["text"][0])


def cancelled(comfy, prompt):
    """Cancels at the first progress after the tenth part. (seconds it took, last progress)."""
    seen = {"value": 0, "asked": None}

    def watch(message):
        if message["type"] != "progress":
            return
        seen["value"] = message["data"]["value"]
        if seen["asked"] is None and seen["value"] > 10:
            seen["asked"] = time.monotonic()
            comfy.post("/interrupt", {})

    with pytest.raises(ServerError, match="interrupted"):
        comfy.run(prompt, on_event=watch)
    return time.monotonic() - seen["asked"], seen["value"]


def test_cancel_stops_between_two_frames_and_leaves_nothing_behind(encoders):
    g = Encoding()
    g.told(g.fused(g.video(FRAMES)))
    levels, times = [], []
    for _ in range(5):
        took, done = cancelled(encoders, g.prompt)
        assert done < FRAMES
        times.append(took)
        levels.append(memory(encoders))
    assert statistics.median(times) < 1  # seconds; once in a while a machine has other things to do
    assert levels[-1]["models"] == levels[1]["models"]
    assert abs(levels[-1]["MiB"] / levels[1]["MiB"] - 1) < 0.01


def test_after_a_cancel_the_same_graph_runs_to_its_end(encoders):
    g = Encoding()
    probe = g.told(g.fused(g.video(FRAMES + 1)))
    cancelled(encoders, g.prompt)
    assert entries(encoders.run(g.prompt), probe)[0]["shape"] == [1, FRAMES + 1, 128]


def test_ten_graphs_of_two_encoders_leave_memory_at_its_level(encoders):
    def run(number):
        g = Encoding()
        both = g.video(number), g.video(number + 1)
        encoder = g.add("MMC_LoadEncoder", folder="wav2vec2")
        sound = g.add("ProbeSound", seconds=1 + number / 10, rate=16000, channels=1)
        heard = g.add("MMC_EncodeAudio", audio=sound, encoder=encoder)
        g.told(g.fused(*both))
        g.told(g.fused(heard))
        encoders.run(g.prompt)
        return memory(encoders)

    for number in (2, 3, 4):
        level = run(number)
    for number in range(5, 15):
        last = run(number)
    assert last["models"] == level["models"]
    assert abs(last["MiB"] / level["MiB"] - 1) < 0.01


def test_the_same_input_is_not_encoded_again(encoders):
    g = Encoding()
    g.told(g.fused(g.video(2)))
    encoders.run(g.prompt)
    cached = []

    def watch(message):
        if message["type"] == "execution_cached":
            cached.extend(message["data"]["nodes"])

    encoders.run(g.prompt, on_event=watch)
    used = {n for n, node in g.prompt.items() if node["class_type"] != "MMC_LoadEmbedded"}
    assert used <= set(cached)
