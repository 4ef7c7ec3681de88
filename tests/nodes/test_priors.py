"""Words to image embeddings, by the shipped priors and by random ones, and who reads them."""

import json
import subprocess

import pytest
import torch
import torch.nn.functional as F
from comfy_server import ServerError
from compare import off
from find_comfyui import PACK, comfyui, interpreter
from graph_encode import Fusing, entries, words
from random_unclip import CHECKPOINT

pytestmark = pytest.mark.host

GROUND = "a red circle on purple and blue stripes"
LETTERS = "red fox"
SHIPPED = ["embedded: diffusion", "embedded: autoregressive"]


class Priors(Fusing):
    def prior(self, file="karlo.safetensors", text=LETTERS, **given):
        """MMC_Prior, with the random text tower where a file of ours is read."""
        if file not in SHIPPED and not {"clip", "encoder"} & given.keys():
            given["encoder"] = self.add("MMC_LoadEncoder", folder="tower")
        heads = 2 if file == "karlo.safetensors" else 0  # 128 wide, which is no published width
        loaded = self.add("MMC_LoadPrior", file=file, heads=heads)
        asked = {"seed": 5, "steps": 4, "guidance": 2.0, **given}
        return self.add("MMC_Prior", prior=loaded, text=text, **asked)

    def vectors(self, prior):
        return self.add(
            "ProbeMade", clip_vision_output=[prior[0], 0], embedding=[prior[0], 1]
        )  # fmt: skip

    def unclip(self, clip_vision_output):
        """A latent of the small unCLIP model, 64 x 64 pixels."""
        model = self.add("unCLIPCheckpointLoader", ckpt_name=CHECKPOINT)
        positive = self.add(
            "unCLIPConditioning", conditioning=self.add("ProbeWords", width=1024), strength=1.0,
            clip_vision_output=clip_vision_output, noise_augmentation=0.0,
        )  # fmt: skip
        negative = self.add("ProbeWords", width=1024)
        return self.add(
            "KSampler", model=model, positive=positive, negative=negative, cfg=2.0,
            **self.sampling(steps=2, latent_image=self.empty(64, 64)),
        )  # fmt: skip


def told(outputs, probe):
    """(vectors, all that ProbeMade said)."""
    said = json.loads(outputs[probe[0]]["text"][0])
    return torch.tensor(said["vectors"]), said


def made(server, g, *nodes):
    probes = [g.vectors(node) for node in nodes]
    outputs = server.run(g.prompt)
    return [told(outputs, probe)[0] for probe in probes]


def refused(server, g, node):
    g.vectors(node)
    with pytest.raises(ServerError) as error:
        server.run(g.prompt)
    assert "\n" not in str(error.value)
    return str(error.value)


# the shipped ones


@pytest.mark.parametrize("file", SHIPPED)
def test_the_shipped_priors_need_nothing_but_words(comfy, file):
    g = Priors()
    one = g.prior(file, GROUND)
    probe, again = g.vectors(one), g.vectors(g.prior(file, GROUND, clip=g.clip))
    other, seed = g.vectors(g.prior(file, "green dots")), g.vectors(g.prior(file, GROUND, seed=6))
    outputs = comfy.run(g.prompt)
    vectors, said = told(outputs, probe)
    assert vectors.shape == (1, 128)
    assert said["tokens"] == [1, 16, 128]
    assert said["alike"]
    assert torch.equal(vectors, told(outputs, again)[0])
    assert off(told(outputs, other)[0], vectors) > 0.05
    assert off(told(outputs, seed)[0], vectors) > 0.05


@pytest.mark.parametrize("file", [*SHIPPED, "karlo.safetensors", "ours.safetensors"])
def test_a_batch_is_what_runs_of_one_seed_each_give(priors, file):
    g = Priors()
    text = GROUND if file in SHIPPED else LETTERS
    batch, first, third = made(
        priors, g, g.prior(file, text, count=3), g.prior(file, text), g.prior(file, text, seed=7)
    )
    assert batch.shape[0] == 3
    assert off(batch[:1], first) < 1e-5
    assert off(batch[2:], third) < 1e-5
    assert off(batch[1:2], first) > 1e-3


def test_many_candidates_are_sampled_in_parts(comfy):
    """12 of 16 candidates are more than fit into one call; of 40 seeds each is its own."""
    g = Priors()
    file = SHIPPED[0]
    best, last, plain, seed = made(
        comfy, g, g.prior(file, GROUND, count=12, candidates=16),
        g.prior(file, GROUND, seed=16, candidates=16), g.prior(file, GROUND, count=40),
        g.prior(file, GROUND, seed=44),
    )  # fmt: skip
    assert off(best[11:], last) < 1e-5
    assert off(plain[39:], seed) < 1e-5
    assert off(best[:1], plain[:1]) > 0.05


def test_the_last_seeds_run_over_to_the_first(comfy):
    g = Priors()
    last, zero = made(
        comfy, g, g.prior(SHIPPED[0], GROUND, seed=2**64 - 1, count=2),
        g.prior(SHIPPED[0], GROUND, seed=0),
    )  # fmt: skip
    assert off(last[1:], zero) < 1e-5


def test_of_candidates_the_nearest_to_the_sentence_is_kept(comfy):
    g = Priors()
    nodes = [g.prior(SHIPPED[0], GROUND, candidates=n) for n in (1, 8)]
    for node in nodes:
        g.vectors(node)
    seen = []
    comfy.run(g.prompt, on_bytes=seen.append)
    text = [m.decode(errors="ignore") for m in seen if m[:4] == (3).to_bytes(4, "big")]
    cosines = [float(t.split("sentence ")[1].split(",")[0]) for t in text if "sentence " in t]
    assert len(cosines) == 2
    assert max(cosines) > min(cosines)


def test_words_push_away_too_and_guidance_of_1_hears_none(comfy):
    g = Priors()
    file = SHIPPED[0]
    plain, away, one, deaf = made(
        comfy, g, g.prior(file, GROUND), g.prior(file, GROUND, negative="green dots"),
        g.prior(file, GROUND, guidance=1.0),
        g.prior(file, GROUND, guidance=1.0, negative="green dots"),
    )  # fmt: skip
    assert off(away, plain) > 0.05
    assert off(one, plain) > 0.05
    assert torch.equal(one, deaf)


def test_the_solver_and_the_steps_are_heard(comfy):
    g = Priors()
    ancestral, ddim, more = made(
        comfy, g, g.prior(SHIPPED[0], GROUND), g.prior(SHIPPED[0], GROUND, solver="ddim"),
        g.prior(SHIPPED[0], GROUND, steps=9),
    )  # fmt: skip
    assert off(ddim, ancestral) > 0.01
    assert off(more, ancestral) > 0.01


def test_tokens_of_the_embedded_model_are_fused(comfy):
    """The 16 tokens decoded, beside the words that the embedded model reads."""
    g = Priors()
    drawn = g.prior(SHIPPED[0], GROUND)
    fused = g.fused(g.encoded("a red circle"), [drawn[0], 1])
    probe = g.told(fused)
    outputs = comfy.run(g.prompt)
    assert entries(outputs, probe)[0]["shape"] == [1, 24 + 16, 128]


def test_what_was_made_and_what_it_is_are_shown(comfy):
    g = Priors()
    node = g.prior(SHIPPED[1], GROUND, count=2)
    g.vectors(node)
    about = g.read(g.prompt[node[0]]["inputs"]["prior"], 1)
    seen = []
    outputs = comfy.run(g.prompt, on_bytes=seen.append)
    shown = [m.decode(errors="ignore") for m in seen if m[:4] == (3).to_bytes(4, "big")]
    assert any("2 image embeddings of the embedded model's style, width 128, seed 5 to 6\ncosine "
               "to the sentence 0." in t for t in shown)  # fmt: skip
    said = words(outputs, about).splitlines()
    assert said[0].startswith("embedded: autoregressive: autoregressive prior, ")
    assert said[2].endswith("connect nothing: it ships with this pack")


def test_progress_is_told_and_a_run_can_be_cancelled(comfy):
    g = Priors()
    g.vectors(g.prior(SHIPPED[0], GROUND, steps=1000, count=64, candidates=16))
    told_of = []

    def on_event(message):
        if message["type"] == "progress" and message["data"]["max"] == 32 * 1000:
            if not told_of:
                comfy.post("/interrupt", {})
            told_of.append(message["data"]["value"])

    with pytest.raises(ServerError, match="interrupted"):
        comfy.run(g.prompt, on_event=on_event)
    assert told_of[0] < 32 * 1000


# files


@pytest.mark.parametrize("file", ["karlo.safetensors", "ours.safetensors"])
def test_a_file_of_random_weights_gives_embeddings_of_its_space(priors, file):
    g = Priors()
    node = g.prior(file)
    probe, about = g.vectors(node), g.read(g.prompt[node[0]]["inputs"]["prior"], 1)
    outputs = priors.run(g.prompt)
    vectors, said = told(outputs, probe)
    assert vectors.shape == (1, 768)
    assert said["tokens"] == [1, 1, 768]
    assert "gives image embeddings of OpenAI CLIP ViT-L/14, width 768" in words(outputs, about)
    assert "read by SD2.1-unCLIP-L, Stable Cascade stage C" in words(outputs, about)


def test_laions_vectors_take_on_the_length_of_a_picture(priors):
    g = Priors()
    like = g.add("ProbeVector", width=768, length=21.5)
    vectors, longer = made(
        priors, g, g.prior("laion.safetensors", like=like, count=2),
        g.prior(like=g.add("ProbeVector", width=768, length=3.0)),
    )  # fmt: skip
    assert torch.allclose(vectors.norm(dim=1), torch.tensor([21.5, 21.5]), rtol=1e-5)
    assert torch.allclose(longer.norm(dim=1), torch.tensor([3.0]), rtol=1e-5)
    assert F.cosine_similarity(vectors[:1], vectors[1:]).item() < 0.9999


def test_without_one_laions_prior_says_what_to_connect(priors):
    g = Priors()
    assert refused(priors, g, g.prior("laion.safetensors")) == (
        "this prior gives embeddings of length 1, and their readers expect the lengths of OpenAI "
        "CLIP ViT-L/14: connect CLIP Vision Encode of a picture to like, with that encoder"
    )


def test_one_of_length_1_itself_is_refused(priors):
    g = Priors()
    like = g.add("ProbeEmbedding", count=1, width=768, seed=0, length=7.0, unit=True)
    assert refused(priors, g, g.prior("laion.safetensors", like=like)).startswith(
        "like has length 1 itself, as LAION's prior gives it: connect CLIP Vision Encode of a pict"
    )


def test_a_picture_of_another_encoder_is_refused(priors):
    g = Priors()
    like = g.add("ProbeVector", width=1280, length=3.0)
    assert refused(priors, g, g.prior("laion.safetensors", like=like)).startswith(
        "like is an embedding of OpenCLIP ViT-bigG/14, width 1280, and the prior gives OpenAI"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"clip": True}, "a prior of OpenAI CLIP ViT-L/14, width 768 cannot read text through "
         "this clip, which holds no text tower of a CLIP: connect encoder, Load Encoder with a "
         "CLIPTextModelWithProjection folder of openai/clip-vit-large-patch14"),
        ({"encoder": "clip"}, "a prior of OpenAI CLIP ViT-L/14 needs text of the CLIP with"),
        ({"encoder": "dinov2"}, "the encoder dinov2 (DINOv2) does not project a text"),
        ({"encoder": None}, "a prior of OpenAI CLIP ViT-L/14, width 768 needs its text tower and "
         "found no text tower: connect encoder"),
    ],
)  # fmt: skip
def test_a_text_tower_of_something_else_is_refused(priors, given, said):
    g = Priors()
    if "clip" in given:
        given = {"clip": g.clip}
    elif given["encoder"]:
        kind = "text" if given["encoder"] == "clip" else "auto"
        given = {"encoder": g.add("MMC_LoadEncoder", folder=given["encoder"], kind=kind)}
    node = g.prior(**given or {"encoder": None})
    g.prompt[node[0]]["inputs"] = {
        k: v for k, v in g.prompt[node[0]]["inputs"].items() if v is not None
    }
    assert refused(priors, g, node).startswith(said)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("no_clip_mean.safetensors", "no_clip_mean.safetensors lacks clip_mean, without which"),
        ("no_clip_std.safetensors", "no_clip_std.safetensors lacks clip_std, without which"),
        ("width.safetensors", "width.safetensors does not fit itself: clip_mean is (1, 1280), "
         "expected (1, 768)"),
        ("cut.safetensors", "cut.safetensors is truncated"),
        ("old.bin", "old.bin is a pickled file, which can run code when it is opened; needed "
         ".safetensors: run "),
        ("page.safetensors", "page.safetensors is a web page saved as weights"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_prior_is_refused(priors, file, said):
    g = Priors()
    assert refused(priors, g, g.prior(file)).startswith(said)


def test_the_command_that_a_refusal_names_runs_and_makes_a_file_that_loads(priors, tmp_path):
    """A user of ComfyUI has no mmc; what the message says is copied into a shell elsewhere."""
    g = Priors()
    said = refused(priors, g, g.prior("old.bin"))
    line = said.partition("needed .safetensors: run ")[2]
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, (line, done.stderr)
    g = Priors()
    assert refused(priors, g, g.prior("old.safetensors")).startswith("this prior gives embeddings")


def test_laions_files_without_nulls_are_loaded_and_say_what_they_may_be(priors):
    """And an unpublished width without its heads is refused by the node, too."""
    g = Priors()
    about = g.add("PreviewAny", source=[g.add("MMC_LoadPrior", file="published.safetensors")[0], 1])
    said = priors.run(g.prompt)[about[0]]["text"][0]
    assert "computed as DALLE2-pytorch 1.4.3 or newer computes, though 0.22.3 or older" in said
    g = Priors()
    told = g.add("MMC_LoadPrior", file="published.safetensors", trained_with="0.16.0 or older")
    about = g.add("PreviewAny", source=[told[0], 1])
    assert "0.16.0 or older computes" in priors.run(g.prompt)[about[0]]["text"][0]
    g = Priors()
    bare = g.add("MMC_LoadPrior", file="karlo.safetensors", heads=0)
    g.add("PreviewAny", source=[bare[0], 1])
    with pytest.raises(ServerError, match="width 128, and no tensor tells how many heads"):
        priors.run(g.prompt)


# who reads them


def test_an_unclip_model_paints_what_the_prior_says(priors):
    """The same latent as from the same vector as the host hands vectors over."""
    g = Priors()
    one, other = g.prior(), g.prior(text="blue bird")
    g.keep(g.unclip(one))
    g.keep(g.unclip(g.add("ProbeNative", clip_vision_output=one)))
    g.keep(g.unclip(other))
    ours, theirs, another = priors.latents(g.prompt)
    assert torch.isfinite(ours).all()
    assert torch.equal(ours, theirs)
    assert off(another, ours) > 1e-3


def test_a_base_adapter_hears_what_the_prior_says(priors, adapters):
    """As from the same vector in the host's own form; an adapter of another CLIP is refused."""
    g = Priors()
    g.model = g.add("ProbeUNet", layout="SD1.5", context=128)

    def drawn(output, file="vit_l.safetensors"):
        style = g.add(
            "MMC_StyleImage", ip_adapter=g.add("MMC_LoadIPAdapter", file=file), weight=1.5,
            start=0.0, end=1.0, clip_vision_output=output,
        )  # fmt: skip
        return g.guided(g.text(), style, steps=2)

    one, other = g.prior(), g.prior(text="blue bird")
    native = g.add("ProbeNative", clip_vision_output=one)
    for latent in (drawn(one), drawn(native), drawn(other)):
        g.keep(latent)
    ours, theirs, another = adapters.latents(g.prompt)
    assert torch.equal(ours, theirs)
    assert off(another, ours) > 1e-3
    g = Priors()
    g.model = g.add("ProbeUNet", layout="SD1.5", context=128)
    g.keep(drawn(g.prior(), "vit_h.safetensors"))
    with pytest.raises(ServerError) as error:
        adapters.run(g.prompt)
    assert str(error.value).startswith(
        "vit_h.safetensors needs image embeddings of OpenCLIP ViT-H/14, width 1024, but was given "
        "OpenAI CLIP ViT-L/14, width 768"
    )


def test_variations_of_what_the_prior_says(priors):
    """On the unCLIP model: a batch of core's own unCLIPConditioning, one for each noise."""
    g = Priors()
    model = g.add("unCLIPCheckpointLoader", ckpt_name=CHECKPOINT)
    given = {
        "model": model, "weight": 1.0, "variety": 0.0, "positive": g.add("ProbeWords", width=1024),
        **g.sampling(steps=2, latent_image=g.empty(64, 64)),
    }  # fmt: skip

    def varied(text, count):
        return g.add("MMC_Variations", count=count, clip_vision_output=g.prior(text=text), **given)

    for latent in (varied(LETTERS, 3), varied(LETTERS, 1), varied("blue bird", 1)):
        g.keep(latent)
    three, one, other = priors.latents(g.prompt)
    assert three.shape[0] == 3
    assert off(three[:1], one) < 1e-4
    assert off(three[1:2], one) > 1e-3
    assert off(other, one) > 1e-3


# inside the host


@pytest.fixture(scope="module")
def found():
    host = comfyui()
    script = PACK / "tests" / "nodes" / "inside_priors.py"
    done = subprocess.run(
        [interpreter(host), script, PACK], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["sdxl", "sd1", "sd2"])
@pytest.mark.parametrize("text", ["prompt", "empty", "long"])
def test_a_hosts_clip_reads_text_as_transformers_does(found, kind, text):
    here = found["towers"][kind][text]
    assert here["tokens"] < 1e-5
    assert here["pooled"] < 1e-5
    assert here["mask"]
    assert here["padding"] == 0


@pytest.mark.parametrize("kind", ["sdxl", "sd1", "sd2"])
def test_the_clip_is_left_as_it_was_and_what_is_cut_is_said(found, kind):
    here = found["towers"][kind]
    assert here["options stay"]
    assert here["emphasis"] == 0
    assert here["said"] == ["the prior reads 77 tokens; the last 25 of the text are not heard"]
    assert found["towers"]["after an error"]


@pytest.mark.parametrize("case", ["identity", "zeros", "left", "without"])
def test_a_clip_whose_projection_was_never_loaded_is_refused(found, case):
    assert found["without projection"][case] == (
        "the clip_l of this clip has no text_projection, without which it says nothing of a small "
        "CLIP, width 64: connect encoder, Load Encoder with a CLIPTextModelWithProjection folder "
        "of the CLIP that the prior is of"
    )


@pytest.mark.parametrize("case", ["with", "unknown"])
def test_one_that_was_loaded_is_read(found, case):
    assert found["without projection"][case] is None


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("none", "found no text tower: connect clip, the CLIP of any SDXL checkpoint"),
        ("both", "found both clip and encoder"),
        ("another width", "holds clip_l of width 32 and clip_g of width 64"),
        ("no CLIP", "holds no text tower of a CLIP"),
        ("not the embedded one", "cannot hear another: disconnect clip"),
        ("encoder", "cannot hear another: disconnect encoder"),
        ("unprojected", "(CLIP text, without projection) does not project a text"),
        ("narrow", "given a sentence vector of width 16 and tokens of width 32"),
        ("unknown word", "the embedded model does not know 'fox'"),
    ],
)
def test_what_cannot_read_a_text_is_refused_by_name(found, case, said):
    assert said in found["wrong"][case]
    assert "\n" not in found["wrong"][case]


def test_an_encoder_of_ours_reads_text_as_transformers_does(found):
    here = found["our encoder"]
    assert max(here["tokens"], here["pooled"]) < 1e-5
    assert here["shape"] == [1, 77, 16]
    assert here["real"] == here["wanted"] == 8  # <s>, six letters, </s>
    assert here["padding"] == 0


def test_the_shipped_tower_is_that_of_the_library(found):
    here = found["shipped"]
    assert max(here["pooled"], here["tokens"]) < 1e-5
    assert here["mask"]
    assert here["escaped"] == "a (red) circle"


@pytest.mark.parametrize("file", ["karlo", "laion", "ours", "diffusion", "autoregressive"])
def test_layers_whose_weights_come_late_are_filled(found, file):
    assert found["late weights"][file] < 1e-5


def test_half_precision_is_near_and_only_where_it_is_taken(found):
    assert 1e-4 < found["precision"]["karlo"] < 0.05
    assert found["precision"]["laion"] == found["precision"]["ours"] == 0


def test_vectors_are_handed_over_as_the_hosts_own_output(found):
    here = found["handed over"]
    assert here["instance"]
    assert here["index"]
    assert here["vectors"]
    assert here["space"] == ["OpenAI CLIP ViT-L/14, width 768", True]
    assert here["native"] == ["OpenAI CLIP ViT-L/14, width 768", False]
    assert here["same"]


def test_who_asks_for_tokens_hears_that_there_are_none(found):
    here = found["handed over"]
    assert here["redux"] == here["applied"]
    assert here["redux"].startswith("this image embedding is one vector (OpenAI CLIP ViT-L/14")
    assert here["redux"].endswith("or choose a model that reads one vector")
    assert here["asked"] == [False, False, False]


@pytest.mark.parametrize(
    ("case", "said"),
    [("bare", "found none: connect"), ("flat", "found (768,): connect"),
     ("ill", "like has numbers that are not finite")],
)  # fmt: skip
def test_outputs_without_vectors_are_refused(found, case, said):
    assert said in found["handed over"][case]


def test_sdxl_and_stable_cascade_hear_the_vectors_by_their_own_formulas(found):
    here = found["readers"]
    assert here["sdxl"] < 1e-6
    assert here["cascade"] == 0
    assert here["cascade shape"] == [1, 2, 768]
