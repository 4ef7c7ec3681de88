"""Tiny models with random weights, saved as their authors would save them."""

import json
import socket

import pytest
import torch


@pytest.fixture(scope="session")
def transformers():
    """The package that runs foreign models; it takes seconds to import, so only once."""
    library = pytest.importorskip("transformers", reason="transformers is not installed")
    library.utils.logging.set_verbosity_error()
    library.utils.logging.disable_progress_bar()
    return library


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """No encoder may ask anyone anything, not even whether a file has changed."""

    tried = []

    def refuse(*args, **kwargs):
        tried.append(args)
        raise OSError("there is no network in tests")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield tried
    assert tried == []  # whoever tried may have gone on without


@pytest.fixture
def bert(transformers):
    """bert(folder) saves a small BERT there and gives it back."""

    def save(folder):
        torch.manual_seed(0)
        config = transformers.BertConfig(
            vocab_size=30, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, max_position_embeddings=16,
        )  # fmt: skip
        model = transformers.BertModel(config, add_pooling_layer=False).eval()
        model.save_pretrained(folder)
        return model

    return save


@pytest.fixture
def change():
    """change(path, key=value) edits a JSON file; None takes a key away."""

    def edit(path, **changes):
        found = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({k: v for k, v in found.items() if v is not None}))

    return edit


@pytest.fixture
def tiny(transformers):
    """Builders of tiny folders of every family, as tests of parity use them."""
    import tiny_encoders

    torch.manual_seed(0)
    return tiny_encoders


@pytest.fixture
def opened(tiny, tmp_path):
    """opened("clip", kind="text") saves a tiny folder of that family and loads its encoder."""
    from mm_core.encoders.families import load_encoder

    def open_(name, *options, dtype=torch.float32, kind=None):
        folder = tmp_path / name
        if not folder.is_dir():
            getattr(tiny, name)(folder, *options)
        return load_encoder(folder, dtype, kind=kind)

    return open_
