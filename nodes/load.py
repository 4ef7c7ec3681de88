"""Loaders: files to models."""

from comfy_api.latest import io

from .host.embedded import load_embedded_model
from .host.encoders import files as encoder_files
from .host.fusion import files as fusion_files
from .host.ip_adapter import files
from .host.prior import files as prior_files
from .host.say import say
from .sockets import Adapters, Encoder, Fusion, IPAdapter, Prior


class LoadEmbedded(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_LoadEmbedded",
            display_name="Load Embedded Model",
            category="multimodal/load",
            description="A small diffusion model that ships with this pack: 128 x 128 pixels, "
            "text, style, depth, pose, segmentation and sound. Nothing to download. MODEL, CLIP, "
            "VAE and CLIP_VISION work with ComfyUI's own nodes.",
            search_aliases=["tiny model", "test model", "offline model", "mmc"],
            inputs=[],
            outputs=[
                io.Model.Output(display_name="model"),
                io.Clip.Output(display_name="clip"),
                io.Vae.Output(display_name="vae"),
                Adapters.Output(display_name="adapters"),
                io.ClipVision.Output(
                    display_name="clip_vision",
                    tooltip="Its style encoder: one vector of 128 numbers for each picture.",
                ),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(*load_embedded_model())


class LoadIPAdapter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_LoadIPAdapter",
            display_name="Load IP-Adapter",
            category="multimodal/load",
            description="An image-prompt adapter for SD1.5, SDXL, Kolors, Flux or SD3.5. It says "
            "which CLIP vision it needs and which model it fits.",
            search_aliases=["ipadapter", "image prompt", "faceid", "style adapter"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=files.names(),
                    tooltip="A file of models/ipadapter, .safetensors. Choosing a .bin says how to "
                    "convert it.",
                )
            ],
            outputs=[
                IPAdapter.Output(
                    display_name="ip_adapter", tooltip="Connect it to Style Image Modality."
                ),
                io.String.Output(
                    display_name="about", tooltip="Family, model and the encoder it needs."
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, file) -> str:
        return files.stamp_of(file)

    @classmethod
    def execute(cls, file) -> io.NodeOutput:
        adapter = files.load(file)
        return io.NodeOutput(adapter, str(adapter.layout))


class LoadFusion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_LoadFusion",
            display_name="Load Fusion",
            category="multimodal/load",
            description="A fusion block that was fitted to embeddings of given widths. It says "
            "which inputs it takes and whether it was trained.",
            search_aliases=["fusion block", "film", "flamingo", "resampler", "adapter"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=fusion_files.names(),
                    tooltip="A file of models/mmc_fusion, .safetensors.",
                )
            ],
            outputs=[
                Fusion.Output(display_name="fusion", tooltip="Connect it to Fuse Embeddings."),
                io.String.Output(
                    display_name="about", tooltip="Kind, inputs, and how it was trained."
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, file) -> str:
        return fusion_files.stamp_of(file)

    @classmethod
    def execute(cls, file) -> io.NodeOutput:
        fusion = fusion_files.load(file)
        say(fusion.about)
        return io.NodeOutput(fusion, fusion.about)


class LoadEncoder(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_LoadEncoder",
            display_name="Load Encoder",
            category="multimodal/load",
            description="A model folder as transformers saves it: an encoder of text, pictures, "
            "sound or video, or an estimator of depth, pose or segmentation. It says what it is "
            "good for.",
            search_aliases=["depth anything", "vitpose", "segformer", "sam", "clap", "dinov2"],
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=encoder_files.names(),
                    tooltip="A folder of models/mmc_encoders with config.json and "
                    "model.safetensors in it.",
                ),
                io.Combo.Input(
                    "kind",
                    options=list(encoder_files.KINDS),
                    default=encoder_files.AUTO,
                    optional=True,
                    tooltip="What it is to encode, for folders that serve for several, such as "
                    "CLIP for text and image.",
                ),
                io.Combo.Input(
                    "precision",
                    options=list(encoder_files.PRECISIONS),
                    default="float32",
                    optional=True,
                    advanced=True,
                    tooltip="Of its weights. float16 and bfloat16 take half the memory, and are "
                    "slow on most CPUs.",
                ),
                io.Combo.Input(
                    "detector",
                    options=[encoder_files.NONE, *encoder_files.names()],
                    default=encoder_files.NONE,
                    optional=True,
                    tooltip="For pose: the folder of a detector, such as RT-DETR, that finds "
                    "people first. Without, a picture is taken for one person.",
                ),
            ],
            outputs=[
                Encoder.Output(display_name="encoder", tooltip="Connect it to an Encode node."),
                io.String.Output(
                    display_name="about", tooltip="What it reads, gives and is good for."
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, folder, detector="none", **_) -> str:
        return encoder_files.stamp_of(folder, detector)

    @classmethod
    def execute(cls, folder, kind="auto", precision="float32", detector="none") -> io.NodeOutput:
        encoder = encoder_files.load(folder, kind, precision, detector)
        say(encoder.about)
        return io.NodeOutput(encoder, encoder.about)


class LoadPrior(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_LoadPrior",
            display_name="Load Prior",
            category="multimodal/load",
            description="A prior, which makes an image embedding of words: the embedded model's "
            "two, with nothing to download, Karlo's, Kandinsky's, LAION's, or one of your own. It "
            "says which text tower it needs and which models read what it gives.",
            search_aliases=["unclip", "dalle 2", "karlo", "kandinsky", "image embedding"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=prior_files.names(),
                    tooltip="One that ships with this pack, or a file of models/mmc_priors, "
                    ".safetensors. Choosing a pickled one says how to convert it.",
                ),
                io.Combo.Input(
                    "precision",
                    options=list(prior_files.PRECISIONS),
                    default="float32",
                    optional=True,
                    advanced=True,
                    tooltip="Of the weights of Karlo's and Kandinsky's priors, and of those of "
                    "that form; others stay in float32. float16 and bfloat16 take half the "
                    "memory, and are slow on most CPUs.",
                ),
                io.Float.Input(
                    "limit",
                    default=prior_files.LIMIT,
                    min=1.0,
                    max=100.0,
                    step=0.5,
                    optional=True,
                    advanced=True,
                    tooltip="Bound of the numbers of a normalised embedding while it is made, no "
                    "unit, 1 to 100. 10 as Karlo and Kandinsky were published; diffusers has 5 "
                    "for Karlo. Files of this pack bring their own; LAION's has none.",
                ),
                io.Int.Input(
                    "heads",
                    default=0,
                    min=0,
                    max=256,
                    optional=True,
                    advanced=True,
                    tooltip="How many attention heads the prior has, 1 to 256; 0 for the known "
                    "number, which is 32 for Karlo's and Kandinsky's. Only files of that form "
                    "but another width need it.",
                ),
                io.Combo.Input(
                    "trained_with",
                    options=list(prior_files.VERSIONS),
                    default=prior_files.BY_FILE,
                    optional=True,
                    advanced=True,
                    tooltip="The version of DALLE2-pytorch that trained a LAION prior. Files of "
                    "before 1.9 do not tell, and computed otherwise; about says so where it "
                    "matters.",
                ),
            ],
            outputs=[
                Prior.Output(display_name="prior", tooltip="Connect it to Diffusion Prior."),
                io.String.Output(
                    display_name="about",
                    tooltip="What it is, the text tower it needs, and who reads what it gives.",
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, file, **_) -> str:
        return prior_files.stamp_of(file)

    @classmethod
    def execute(cls, file, precision="float32", limit=prior_files.LIMIT, **told) -> io.NodeOutput:
        prior = prior_files.load(file, precision, limit, **told)
        say(prior.about)
        return io.NodeOutput(prior, prior.about)
