"""doctor tells what it finds, and never fails because something is missing."""

import layouts
import pytest
import torch
from safetensors.torch import save_file

from mm_core.cli import doctor
from mm_core.priors.dalle2 import Dalle2Network, Dalle2Sizes
from mm_core.priors.transformer import PriorTransformer, Sizes
from mm_core.weights.header import Header, pack
from mm_core.weights.save import save_tensors


@pytest.fixture
def host(tmp_path):
    """A folder that looks like a ComfyUI with some models."""
    (tmp_path / "comfy").mkdir()
    (tmp_path / "main.py").touch()
    (tmp_path / "comfyui_version.py").write_text('__version__ = "0.33.0"\n')
    models = tmp_path / "models" / "ipadapter"
    models.mkdir(parents=True)
    save_tensors({"a": torch.zeros(2)}, models / "other.safetensors")
    shapes = layouts.base(1024, 64) | layouts.layers([8] * 16, 64)
    save_file(layouts.random_tensors(shapes), models / "good.safetensors")
    (models / "bad.safetensors").write_text("not weights")
    (models / "old.bin").touch()
    (models / "notes.txt").touch()
    return tmp_path


def test_doctor_tells_versions_and_that_the_model_is_usable(mmc):
    outcome = mmc("doctor")
    assert outcome.code == 0
    assert f"torch {torch.__version__}" in outcome.out.splitlines()
    assert "embedded model: usable, " in outcome.out
    assert "oracle: usable, " in outcome.out
    assert "embedded priors: usable, " in outcome.out


@pytest.mark.parametrize("build", ["2.13.0", "2.13.0+cpu", "2.14.1+rocm7.2"])
def test_doctor_tells_which_build_of_torch_runs(monkeypatch, build):
    monkeypatch.setattr(torch, "__version__", build)
    assert f"torch {build}" in list(doctor.findings(None))


def test_models_of_a_host_are_told_usable_or_not_and_why(host):
    lines = list(doctor.findings(host))
    assert f"ComfyUI 0.33.0 at {host}" in lines
    assert (
        "ipadapter/good.safetensors: usable, base for SD1.5, 4 tokens, "
        "needs image_embeds 1024 (CLIP-H)" in lines
    )
    assert any(
        line.startswith(
            "ipadapter/other.safetensors: NOT usable: other.safetensors is no IP-Adapter"
        )
        for line in lines
    )
    path = host / "models" / "ipadapter" / "old.bin"
    assert f"ipadapter/old.bin: NOT usable: pickled; run mmc convert {path}" in lines
    assert any(line.startswith("ipadapter/bad.safetensors: NOT usable: ") for line in lines)
    assert not any("notes.txt" in line for line in lines)


def test_priors_of_a_host_are_told_by_what_they_are_or_why_not(host):
    folder = host / "models" / "mmc_priors"
    folder.mkdir()
    good = Dalle2Network(Dalle2Sizes(768, 1, 1, 64, 7, 10, 32, 64)).state_dict()
    save_file({f"net.{n}": t for n, t in good.items()}, folder / "good.safetensors")
    network = PriorTransformer(Sizes(768, 64, 1, 1, 7))
    save_file(network.state_dict(), folder / "small.safetensors")
    short = {n: t for n, t in good.items() if n != "learned_query"}
    save_file({f"net.{n}": t for n, t in short.items()}, folder / "short.safetensors")
    (folder / "old.ckpt").touch()
    lines = [line for line in doctor.findings(host) if line.startswith("mmc_priors/")]
    assert lines[0].startswith(
        "mmc_priors/good.safetensors: usable, LAION's DALL-E 2 prior, 1 layers, 7 tokens of text"
    )
    assert "old.ckpt: NOT usable: pickled; run mmc convert" in lines[1]
    assert lines[2].startswith(
        "mmc_priors/short.safetensors: NOT usable: short.safetensors is no prior"
    )
    assert "small.safetensors has width 64, and no tensor tells how many heads share it" in lines[3]


def test_files_of_one_name_are_told_apart_by_their_folders(host):
    for below in ("", "a", "a/b"):
        (host / "models" / "mmc_priors" / below).mkdir(parents=True, exist_ok=True)
        (host / "models" / "mmc_priors" / below / "x.safetensors").touch()
    told = [x.partition(": ")[0] for x in doctor.findings(host) if x.startswith("mmc_priors/")]
    assert told == [f"mmc_priors/{n}.safetensors" for n in ("a/b/x", "a/x", "x")]


@pytest.mark.parametrize(
    "error", [RuntimeError("a\nb"), RecursionError(), MemoryError(), KeyError(1)]
)
def test_whatever_a_file_raises_is_its_line_and_the_next_is_told(host, monkeypatch, error):
    def breaks(*_):
        raise error

    monkeypatch.setattr("mm_core.priors.load.read_header", breaks)
    monkeypatch.setattr(doctor, "read_shapes", breaks)
    monkeypatch.setattr(doctor, "about", breaks)
    for folder, name in (("mmc_priors", "a"), ("mmc_priors", "b"), ("mmc_fusion", "c")):
        (host / "models" / folder).mkdir(exist_ok=True)
        (host / "models" / folder / f"{name}.safetensors").touch()
    (host / "models" / "mmc_encoders" / "d").mkdir(parents=True)
    (host / "models" / "mmc_encoders" / "d" / "config.json").touch()
    lines = [line for line in doctor.findings(host) if line.startswith("mmc_")]
    assert len(lines) == 4
    said = f"reading it ended with {type(error).__name__} ("
    assert all("\n" not in line and said in line for line in lines)


def test_shipped_weights_that_break_are_a_line(host, monkeypatch):
    def breaks(path):
        raise RuntimeError("an allocation of 1 TB failed")

    monkeypatch.setattr(doctor, "load_embedded", breaks)
    said = "embedded model: NOT usable: reading it ended with RuntimeError (an allocation of 1 TB"
    assert any(line.startswith(said) for line in doctor.findings(host))


def test_names_of_any_kind_stay_in_their_line(host):
    folder = host / "models" / "mmc_priors"
    folder.mkdir()
    (folder / "a\nb.safetensors").touch()
    (folder / "c\udcff.safetensors").touch()
    (folder / "gone.safetensors").symlink_to(folder / "nothing")
    lines = [line for line in doctor.findings(host) if line.startswith("mmc_priors/")]
    assert len(lines) == 3
    assert all("NOT usable: " in line and "\n" not in line and line.encode() for line in lines)
    assert "found no file; check the path" in lines[2]


def test_hostile_headers_are_lines(host):
    folder = host / "models" / "mmc_priors"
    folder.mkdir()
    tensor = {"x": torch.zeros(1)}
    ours = pack(Header("prior", 1))
    save_file(tensor, folder / "a.safetensors", ours | {"mmc.recipe": "[1]"})
    save_file(tensor, folder / "b.safetensors", ours | {"mmc.config": "[" * 100_000})
    laion = {
        "net.learned_query": torch.zeros(768),
        "net.to_time_embeds.0.weight": torch.zeros(0, 768),
    }
    save_file(laion, folder / "c.safetensors")
    a, b, c = (line for line in doctor.findings(host) if line.startswith("mmc_priors/"))
    assert "NOT usable: a.safetensors has a damaged header: mmc.recipe is a list" in a
    assert "NOT usable: b.safetensors has a damaged header: mmc.config is no JSON" in b
    assert "NOT usable: c.safetensors cannot be used: to_time_embeds.0.weight has the shape" in c


def test_encoders_are_told_by_what_they_are_good_for_or_why_not(host, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: "5.23.0")
    encoders = tmp_path / "models" / "mmc_encoders"
    for name, kind in (("openai/clip", "clip_vision_model"), ("other", "llama")):
        (encoders / name).mkdir(parents=True)
        (encoders / name / "config.json").write_text(f'{{"model_type": "{kind}"}}')
        (encoders / name / "preprocessor_config.json").write_text("{}")
        save_tensors({"a": torch.zeros(2)}, encoders / name / "model.safetensors")
    clip = "CLIP vision: image -> a token for the picture, one for each patch"
    lines = [line for line in doctor.findings(host) if line.startswith("mmc_encoders/")]
    assert len(lines) == 2
    assert lines[0].startswith(f"mmc_encoders/openai/clip: {clip}")
    assert "other: cannot be used: config.json says model_type 'llama'" in lines[1]
    found = list(doctor.findings(host, encoders / "openai" / "clip"))
    assert any(line.startswith(f"clip: {clip}") for line in found)
    nothing = f"{tmp_path / 'comfy'}: found no model folder, which holds config.json and "
    assert any(x.startswith(nothing) for x in doctor.findings(host, tmp_path / "comfy"))


def test_a_host_is_found_by_its_environment_variable(host, monkeypatch):
    monkeypatch.setenv("COMFYUI_PATH", str(host))
    assert f"ComfyUI 0.33.0 at {host}" in list(doctor.findings(None))


def test_a_host_of_unknown_version_is_told_as_such(host):
    (host / "comfyui_version.py").unlink()
    assert f"ComfyUI of unknown version at {host}" in list(doctor.findings(host))


def test_a_pack_near_the_root_of_the_disk_finds_no_host_and_does_not_fail(monkeypatch, tmp_path):
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(doctor, "__file__", "/app/mm_core/cli/doctor.py")
    assert list(doctor.findings(None))[-1].startswith("ComfyUI: none found (looked at")


def test_missing_weights_are_told_and_no_error(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "SHIPPED", tmp_path / "none.safetensors")
    lines = list(doctor.findings(tmp_path))
    assert any("embedded model: NOT usable: " in x and "found no file" in x for x in lines)


def test_a_missing_package_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "PACKAGES", ("torch", "no-such-package"))
    assert "no-such-package: not installed" in list(doctor.findings(tmp_path))


def test_a_folder_that_is_no_host_is_told_as_such(tmp_path):
    assert list(doctor.findings(tmp_path))[-1].startswith(f"ComfyUI: none at {tmp_path}; give")
