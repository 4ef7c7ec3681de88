"""Encode nodes that draw a map for ControlNets: depth, pose, segmentation."""

from comfy_api.latest import io

from .host.encoders.depth import HOW, Scale, encode_depth
from .host.encoders.pose import STYLES, encode_pose
from .host.encoders.segmentation import AUTO, CHOICES, encode_segmentation
from .host.encoders.size import MODES, Size
from .sockets import Embedding, Keypoints, encoder_input, name_input


class EncodeDepth(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_EncodeDepth",
            display_name="Encode Depth",
            category="multimodal/encode",
            description="How near each pixel of a picture is, as the map that ControlNets read; or "
            "a map of another pack, scaled anew.",
            search_aliases=["depth anything", "midas", "zoe depth", "depth map"],
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="Pictures, or the frames of a video; without an encoder, depth maps "
                    "in which white is near.",
                ),
                encoder_input("depth", "it, or a depth map as image"),
                io.Combo.Input(
                    "scale",
                    options=list(HOW),
                    default="min-max",
                    optional=True,
                    tooltip="What becomes white and black: the nearest and the farthest (min-max), "
                    "percentiles, or fixed metres, for encoders of metric depth.",
                ),
                io.Boolean.Input(
                    "together",
                    default=False,
                    optional=True,
                    tooltip="One scale for all pictures, as the frames of a video need. Off: one "
                    "for each.",
                ),
                _part("low_percent", 2.0, 100.0, "What share of pixels is black, for percentile, "
                      "percent, 0 to 100."),
                _part("high_percent", 98.0, 100.0, "Above what share of pixels all is white, for "
                      "percentile, percent, 0 to 100."),
                _part("nearest", 0.5, 1000.0, "What is white, for fixed, metres, 0 to 1000."),
                _part("farthest", 20.0, 1000.0, "What is black, for fixed, metres, 0 to 1000."),
                name_input("depth"),
                *_size_inputs(),
            ],
            outputs=[
                io.Image.Output(display_name="map", tooltip="White is near, for ControlNets."),
                Embedding.Output(display_name="embedding"),
            ],
        )  # fmt: skip

    @classmethod
    def execute(cls, image, encoder=None, name="", **scale) -> io.NodeOutput:
        size = _size_of(scale)
        drawn, embedding = encode_depth(image, Scale(**scale), size, encoder)
        return io.NodeOutput(drawn, embedding.renamed(name))


class EncodePose(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_EncodePose",
            display_name="Encode Pose",
            category="multimodal/encode",
            description="People in pictures as the skeleton that ControlNets read, and as "
            "keypoints; or keypoints of another pack, drawn.",
            search_aliases=["openpose", "dwpose", "vitpose", "skeleton", "keypoints"],
            inputs=[
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="Pictures of people. With keypoints only where these do not say how "
                    "large their canvas is, as OpenPose's own JSON does not.",
                ),
                encoder_input("pose", "this or keypoints"),
                Keypoints.Input(
                    "keypoints",
                    optional=True,
                    tooltip="POSE_KEYPOINT of any pose node, drawn as they are. Connect this or "
                    "encoder.",
                ),
                io.Combo.Input(
                    "style",
                    options=list(STYLES),
                    default="controlnet",
                    optional=True,
                    tooltip="How limbs are drawn: as ControlNets were shown them, wider on large "
                    "pictures for xinsir's, or as ComfyUI's own pose node draws.",
                ),
                io.Boolean.Input(
                    "hands", default=True, optional=True, tooltip="Whether hands are drawn."
                ),
                io.Boolean.Input(
                    "face", default=True, optional=True, tooltip="Whether faces are drawn."
                ),
                io.Float.Input(
                    "confidence",
                    default=0.3,
                    min=0.01,
                    max=1.0,
                    step=0.01,
                    optional=True,
                    advanced=True,
                    tooltip="Points below it are not drawn, 0.01 to 1.",
                ),
                io.String.Input(
                    "boxes",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="Where people are: left, top, right, bottom in pixels, boxes parted by "
                    "semicolons. Empty: the encoder's detector finds them, or each picture is one "
                    "person.",
                ),
                name_input("pose"),
                *_size_inputs(),
            ],
            outputs=[
                io.Image.Output(display_name="skeleton", tooltip="For a pose ControlNet."),
                Keypoints.Output(display_name="keypoints", tooltip="In pixels, for any pose node."),
                Embedding.Output(display_name="embedding"),
            ],
        )

    @classmethod
    def execute(cls, name="", **given) -> io.NodeOutput:
        skeleton, keypoints, embedding = encode_pose(size=_size_of(given), **given)
        return io.NodeOutput(skeleton, keypoints, embedding.renamed(name))


class EncodeSegmentation(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_EncodeSegmentation",
            display_name="Encode Segmentation",
            category="multimodal/encode",
            description="What is where in pictures: painted for a ControlNet, and as masks. Or "
            "masks painted as classes, or a painted map read.",
            search_aliases=["segment anything", "sam", "segformer", "semantic map", "ade20k"],
            inputs=[
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="Pictures; without an encoder, maps that are painted in the palette.",
                ),
                encoder_input("segmentation", "this, mask, or a painted image"),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Masks, 0 to 1, painted one over another as the classes named.",
                ),
                io.Combo.Input(
                    "palette",
                    options=list(CHOICES),
                    default=AUTO,
                    optional=True,
                    tooltip="Colours of the map. auto: by the number of classes that the encoder "
                    "knows; ADE20K is what most ControlNets were shown.",
                ),
                io.String.Input(
                    "classes",
                    default="",
                    optional=True,
                    tooltip="What the mask output shows, such as person, tree; with mask "
                    "connected, what each mask is. Parted by semicolons where names have commas. "
                    "Empty: a mask for each that is found.",
                ),
                io.String.Input(
                    "points",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="For Segment Anything: x, y of one thing, in pixels, parted by "
                    "semicolons; with a third number 0, of what is no part of it.",
                ),
                io.String.Input(
                    "boxes",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="For Segment Anything: left, top, right, bottom of each thing, in "
                    "pixels, parted by semicolons.",
                ),
                name_input("segmentation"),
                *_size_inputs(),
            ],
            outputs=[
                io.Image.Output(display_name="map", tooltip="For a segmentation ControlNet."),
                io.Mask.Output(display_name="mask", tooltip="Of the classes named, or of each."),
                io.String.Output(display_name="found", tooltip="What is there, by name."),
                Embedding.Output(display_name="embedding"),
            ],
        )

    @classmethod
    def execute(cls, name="", **given) -> io.NodeOutput:
        size = _size_of(given)
        picture, mask, found, embedding = encode_segmentation(size=size, **given)
        return io.NodeOutput(picture, mask, found, embedding.renamed(name))


def _part(name: str, default: float, most: float, tooltip: str) -> io.Input:
    return io.Float.Input(
        name,
        default=default,
        min=0.0,
        max=most,
        step=0.1,
        optional=True,
        advanced=True,
        tooltip=tooltip,
    )


def _size_inputs() -> list[io.Input]:
    """The size of the map, where it is not the picture's."""
    return [
        *(
            io.Int.Input(
                side,
                default=0,
                min=0,
                max=16384,
                step=8,
                optional=True,
                advanced=True,
                tooltip=f"{side.capitalize()} of the map in pixels, a multiple of 8, 0 to 16384: "
                "that of the latent's picture. 0: the picture's own.",
            )
            for side in ("width", "height")
        ),
        io.Combo.Input(
            "fit",
            options=list(MODES),
            default=MODES[0],
            optional=True,
            advanced=True,
            tooltip="How another shape comes to that size: its edges are cut, it gets a black "
            "border, or it is stretched.",
        ),
    ]


def _size_of(given: dict) -> Size:
    """What _size_inputs hand over, taken out of a node's inputs."""
    return Size(**{k: given.pop(k) for k in ("width", "height", "fit") if k in given})
