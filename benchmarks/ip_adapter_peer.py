"""Another pack's image prompts, from a folder that the caller has: measured, never shipped.

Knows ComfyUI_IPAdapter_plus (https://github.com/cubiq/ComfyUI_IPAdapter_plus), by its nodes.
"""

import subprocess
import sys

import tomllib
from in_host import load_pack, torch


class Peer:
    """The pack in a folder. name: with its version and, of a git checkout, its commit."""

    def __init__(self, folder, adapter):
        self.module = sys.modules[load_pack(folder)]
        said = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        commit = subprocess.run(
            ["git", "-C", folder, "rev-parse", "--short=10", "HEAD"],
            capture_output=True, text=True, check=False,
        ).stdout.strip()  # fmt: skip
        pack = said["urls"]["Repository"].rsplit("/", 1)[-1]
        self.name = f"{pack} {said['version']}" + (f" ({commit})" if commit else "")
        nodes = self.module.NODE_CLASS_MAPPINGS
        (self.adapter,) = nodes["IPAdapterModelLoader"]().load_ipadapter_model(adapter)
        self.apply = nodes["IPAdapterEmbeds"]().apply_ipadapter

    def applied(self, model, features, weight=1.0):
        """A MODEL that hears a picture by its features (1, width)."""
        return self.apply(
            model, self.adapter, features, weight, "linear", 0.0, 1.0,
            neg_embed=torch.zeros_like(features),
        )[0]  # fmt: skip

    def layers(self, model):
        """The linear layers that make keys and values of pictures, of each adapter on a MODEL."""
        replaced = model.model_options["transformer_options"]["patches_replace"]["attn2"]
        told = next(iter(replaced.values())).kwargs
        return [layer for one in told for layer in one["ipadapter"].ip_layers.to_kvs.values()]
