"""A folder is opened whole or refused in words that say what to do."""

import json
import socket
import sys
from contextlib import nullcontext
from functools import partial

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from mm_core.encoders.folder import (
    check_reader,
    load_model,
    load_processor,
    read_config,
    weight_files,
)
from mm_core.errors import InputError, WeightsError

PLAIN = {"add_pooling_layer": False}


@pytest.fixture
def folder(tmp_path):
    """A folder whose config and weights are readable and mean nothing."""
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    save_file({"a": torch.zeros(2)}, tmp_path / "model.safetensors")
    return tmp_path


def test_the_config_of_a_readable_folder_is_given_as_it_is(folder):
    assert read_config(folder) == {"model_type": "bert"}


def test_what_is_no_folder_is_never_taken_for_a_name_on_a_hub(tmp_path):
    with pytest.raises(InputError, match=r"bert-base: found nothing, needed the folder that holds"):
        read_config(tmp_path / "bert-base")
    (tmp_path / "a.safetensors").touch()
    with pytest.raises(InputError, match=r"found a file, needed the folder"):
        read_config(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "found no config.json, needed a model folder"),
        ("{", "is no JSON"),
        ("<!DOCTYPE html>", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("\udcff", "is no JSON"),
        ("[1]", "found a list, needed a table of settings"),
    ],
)
def test_a_config_that_is_none_is_refused(folder, content, words):
    (folder / "config.json").unlink()
    if content is not None:
        (folder / "config.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=words) as caught:
        read_config(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_of_pickled_weights_says_how_to_convert_them(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    path = folder / "pytorch_model.bin"
    with pytest.raises(WeightsError) as caught:
        read_config(folder)
    assert f"run mmc convert {path} --out {folder / 'model.safetensors'}" in str(caught.value)


def test_converted_weights_load(bert, tmp_path):
    from mm_core.cli.convert import convert

    model = bert(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    convert(tmp_path / "pytorch_model.bin", tmp_path / "model.safetensors")
    same_weights(load_model("BertModel", tmp_path, **PLAIN), model)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "found no weights, needed model.safetensors; download it"),
        (
            ["a.bin", "b.bin"],
            r"found only pickled weights \(a.bin and 1 more\), needed safetensors",
        ),
        (["x.fp16.safetensors"], "found x.fp16.safetensors, needed the name model.safetensors"),
    ],
)
def test_a_folder_without_its_weights_is_refused(folder, names, words):
    (folder / "model.safetensors").unlink()
    for name in names:
        (folder / name).touch()
    with pytest.raises(WeightsError, match=words):
        read_config(folder)


def test_a_web_page_saved_as_weights_is_named_as_one(folder):
    (folder / "model.safetensors").write_text("<!doctype html><title>x</title>")
    said = rf"^{folder.name}/model\.safetensors is a web page saved as weights"
    with pytest.raises(WeightsError, match=said):
        read_config(folder)


def test_a_truncated_file_is_refused_before_anything_is_loaded(bert, tmp_path):
    bert(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=rf"^{tmp_path.name}/model\.safetensors is truncated"):
        load_model("BertModel", tmp_path, **PLAIN)


def test_shards_are_found_by_their_index_and_a_lost_one_is_named(folder):
    tensors = {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
    (folder / "model.safetensors").rename(folder / "1.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(tensors))
    with pytest.raises(WeightsError, match=r"found 1 of 2 .*; download 2\.safetensors"):
        read_config(folder)
    save_file({"b": torch.zeros(1)}, folder / "2.safetensors")
    assert weight_files(folder) == [folder / "1.safetensors", folder / "2.safetensors"]


@pytest.mark.parametrize("content", ["[]", "{", '{"weight_map": 3}'])
def test_an_index_that_is_none_is_refused(folder, content):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(WeightsError, match="is no index of weights; download it again"):
        read_config(folder)


def test_an_index_never_leads_out_of_the_folder(folder):
    (folder / "model.safetensors").unlink()
    outside = {"weight_map": {"a": "../secret.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(outside))
    with pytest.raises(WeightsError, match="names a file outside the folder"):
        read_config(folder)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_model_comes_frozen_and_in_the_precision_asked_for(bert, tmp_path, dtype):
    model = bert(tmp_path)
    loaded = load_model("BertModel", tmp_path, dtype, **PLAIN)
    same_weights(loaded, model.to(dtype))
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())


def test_a_try_to_reach_a_network_is_noticed(no_network):
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("localhost", 1))
    assert len(no_network) == 1
    no_network.clear()


def test_weights_saved_in_half_precision_come_in_the_precision_asked_for(bert, tmp_path):
    model = bert(tmp_path).half()
    model.save_pretrained(tmp_path)
    loaded = load_model("BertModel", tmp_path, **PLAIN)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}


def test_a_missing_tensor_is_named_and_never_made_up(bert, tmp_path):
    bert(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    lost = tensors.pop("encoder.layer.1.output.dense.bias")
    save_file(tensors | {"kept": lost}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match=r"not fit BertModel: missing encoder.layer.1.output"):
        load_model("BertModel", tmp_path, **PLAIN)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(bert, tmp_path, change):
    bert(tmp_path)
    change(tmp_path / "config.json", vocab_size=31)
    words = r"word_embeddings.weight is \(30, 32\), expected \(31, 32\); download config.json"
    with pytest.raises(WeightsError, match=words):
        load_model("BertModel", tmp_path, **PLAIN)


def test_weights_of_a_later_release_say_so(bert, tmp_path, change):
    bert(tmp_path)
    change(tmp_path / "config.json", vocab_size=31, transformers_version="99.1.0")
    with pytest.raises(WeightsError, match=r"; saved by transformers 99\.1\.0, found \d.*upgrade"):
        load_model("BertModel", tmp_path, **PLAIN)


def test_many_differences_are_counted(bert, tmp_path, change):
    bert(tmp_path)
    change(tmp_path / "config.json", num_hidden_layers=3)
    with pytest.raises(WeightsError, match="; and 12 more; download"):
        load_model("BertModel", tmp_path, **PLAIN)


def test_a_config_that_cannot_be_built_is_one_line(bert, tmp_path, change):
    bert(tmp_path)
    change(tmp_path / "config.json", num_attention_heads=5)
    with pytest.raises(WeightsError, match="BertModel cannot be loaded") as caught:
        load_model("BertModel", tmp_path, **PLAIN)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "load", [partial(load_model, "BertModel"), partial(load_processor, "text")]
)
def test_what_loads_is_told_to_stay_in_the_folder(folder, monkeypatch, load):
    told = {}

    def from_pretrained(where, **options):
        told.update(options, where=where)
        return nn.Linear(1, 1), {"missing_keys": [], "mismatched_keys": []}

    stand_in = type("Model", (), {"from_pretrained": staticmethod(from_pretrained)})
    monkeypatch.setattr("mm_core.encoders.folder.named_class", lambda *name: stand_in)
    monkeypatch.setattr("mm_core.encoders.folder.quiet", nullcontext)
    monkeypatch.setattr("mm_core.encoders.folder.precision", lambda dtype: {})
    (folder / "tokenizer.json").write_text("{}")
    load(folder)
    assert (told["where"], told["local_files_only"], told["trust_remote_code"]) == (
        folder, True, False,
    )  # fmt: skip
    assert told.get("use_safetensors", True) is True
    assert ("use_safetensors" in told) is (load.func is load_model)


def test_code_in_the_folder_is_not_run(bert, tmp_path, change):
    bert(tmp_path)
    change(tmp_path / "config.json", auto_map={"AutoModel": "evil.Model"})
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    load_model("BertModel", tmp_path, **PLAIN)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("reads", "words"),
    [
        ("picture", "found no preprocessor_config.json, which says how a picture is prepared"),
        ("sound", "found no preprocessor_config.json, which says how a sound is prepared"),
        ("text", "needed tokenizer.json .or its vocabulary. beside config.json"),
    ],
)
def test_a_missing_preprocessor_is_one_sentence(folder, reads, words):
    with pytest.raises(InputError, match=words):
        load_processor(reads, folder)


@pytest.mark.parametrize("content", ["{", "[]", '{"image_processor_type": "NoSuchProcessor"}'])
def test_a_preprocessor_that_is_none_is_refused(folder, transformers, content):
    (folder / "preprocessor_config.json").write_text(content)
    words = "is no JSON" if content == "{" else "how a picture is prepared cannot be used"
    with pytest.raises(InputError, match=words) as caught:
        load_processor("picture", folder)
    assert "\n" not in str(caught.value)


def test_a_package_that_preparing_needs_is_named(folder, monkeypatch):
    def needs(*args, **kwargs):
        raise ImportError("SomeProcessor requires the Torchvision library but it was not found")

    stand_in = type("AutoImageProcessor", (), {"from_pretrained": staticmethod(needs)})
    monkeypatch.setattr("mm_core.encoders.folder.named_class", lambda name: stand_in)
    monkeypatch.setattr("mm_core.encoders.folder.quiet", nullcontext)
    (folder / "preprocessor_config.json").write_text("{}")
    with pytest.raises(InputError, match="needs torchvision, which is not installed"):
        load_processor("picture", folder)


@pytest.mark.parametrize(
    "load", [partial(load_model, "BertModel"), partial(load_processor, "text")]
)
def test_without_the_library_the_library_is_what_is_missing(folder, monkeypatch, load):
    (folder / "tokenizer.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match="transformers is not installed, and encoders need it"):
        load(folder)


def same_weights(loaded, expected):
    have, want = loaded.state_dict(), expected.state_dict()
    assert have.keys() == want.keys()
    assert all(torch.equal(have[n], want[n]) for n in want)


def test_attention_that_names_code_on_a_hub_is_not_fetched(bert, tmp_path, change, monkeypatch):
    class Kernels:
        """What transformers would ask, were it installed."""

        def __getattr__(self, name):
            raise AssertionError(f"asked for {name}")

    expected = bert(tmp_path)
    change(tmp_path / "config.json", _attn_implementation="someone/attention")
    monkeypatch.setitem(sys.modules, "kernels", Kernels())
    same_weights(load_model("BertModel", tmp_path, add_pooling_layer=False), expected)
    change(tmp_path / "config.json", _attn_implementation="flash_attention_2")
    same_weights(load_model("BertModel", tmp_path, add_pooling_layer=False), expected)


@pytest.mark.parametrize("named", [5, "BertModel", [1]])
def test_architectures_are_a_list_of_names(folder, change, named):
    change(folder / "config.json", architectures=named)
    with pytest.raises(InputError, match=r"architectures is .*, needed a list of names"):
        read_config(folder)


def test_quantised_weights_are_refused(folder, change):
    change(folder / "config.json", quantization_config={"quant_method": "bitsandbytes"})
    with pytest.raises(InputError, match="the weights are quantised"):
        read_config(folder)


def test_weights_that_are_no_numbers_are_named(bert, tmp_path):
    bert(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    name = "encoder.layer.1.attention.self.key.weight"
    tensors[name][0, 0] = float("nan")
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match=f"{name} holds numbers that are not finite"):
        load_model("BertModel", tmp_path, add_pooling_layer=False)


def test_a_mark_at_the_start_of_a_config_is_no_matter(folder):
    path = folder / "config.json"
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert read_config(folder)


def test_a_preprocessor_is_read_before_it_is_needed(folder):
    (folder / "preprocessor_config.json").write_text("<html>")
    with pytest.raises(InputError, match=r"preprocessor_config\.json: is no JSON"):
        check_reader("picture", folder)
