"""Folders of depth, pose and segmentation models: the real classes, tiny, with random weights.

Each function saves one as its authors would save it, and gives the model back as transformers
loads it. The functions alone import transformers.
"""

import json

import torch

DINO = dict(
    hidden_size=32, num_hidden_layers=4, num_attention_heads=2, image_size=56, patch_size=14,
    out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False,
)  # fmt: skip
SWIN = dict(
    embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2, image_size=64,
    out_features=["stage1", "stage2", "stage3", "stage4"],
)  # fmt: skip
QUERIES = dict(
    hidden_dim=32, encoder_feedforward_dim=32, encoder_layers=1, decoder_layers=2,
    num_attention_heads=2, dim_feedforward=32, num_queries=6, num_labels=12,
)  # fmt: skip


def library():
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    return transformers


def processor(name, folder, **settings):
    """Its settings as a file, which is all that is read of it: some cannot be made everywhere."""
    said = {"image_processor_type": name, **settings}
    (folder / "preprocessor_config.json").write_text(json.dumps(said))


def save(model, folder):
    """The model as it is read back: tensors that lie otherwise in memory may round otherwise."""
    model.save_pretrained(folder)
    found = type(model).from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return found.eval()


def lively(model, gain=1.0):
    """Weights that keep what they read at its size: fresh ones let only a constant through."""
    for weight in model.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=gain * weight[0].numel() ** -0.5)
    return model


def depth_anything(folder, **config):
    t = library()
    made = t.DepthAnythingConfig(
        backbone_config=t.Dinov2Config(**DINO), reassemble_hidden_size=32, patch_size=14,
        neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=8, head_hidden_size=8, **config,
    )  # fmt: skip
    processor(
        "DPTImageProcessor", folder, size={"height": 56, "width": 56}, keep_aspect_ratio=True,
        ensure_multiple_of=14, resample=3,
    )  # fmt: skip
    return save(lively(t.DepthAnythingForDepthEstimation(made)), folder)


def dpt(folder):
    t = library()
    config = t.DPTConfig(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=64,
        image_size=32, patch_size=16, backbone_out_indices=[0, 1, 2, 3], is_hybrid=False,
        neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=8,
    )  # fmt: skip
    processor("DPTImageProcessor", folder, size={"height": 32, "width": 32})
    return save(lively(t.DPTForDepthEstimation(config)), folder)


def zoedepth(folder):
    t = library()
    backbone = t.BeitConfig(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=64,
        image_size=32, patch_size=16, use_relative_position_bias=True, reshape_hidden_states=False,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = t.ZoeDepthConfig(
        backbone_config=backbone, neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=8,
        bottleneck_features=8, num_relative_features=8, bin_embedding_dim=8,
        num_attractors=[4, 3, 2, 1], patch_transformer_hidden_size=8,
        patch_transformer_intermediate_size=16, patch_transformer_num_attention_heads=2,
        bin_configurations=[{"n_bins": 8, "min_depth": 1e-3, "max_depth": 10.0, "name": "nyu"}],
    )  # fmt: skip
    processor("ZoeDepthImageProcessor", folder, size={"height": 32, "width": 48},
              ensure_multiple_of=16)  # fmt: skip
    return save(lively(t.ZoeDepthForDepthEstimation(config)), folder)


def depth_pro(folder, view=True):
    t = library()
    vit = dict(
        model_type="dinov2", hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        patch_size=4, image_size=16,
    )  # fmt: skip
    config = t.DepthProConfig(
        fusion_hidden_size=8, patch_size=16, intermediate_hook_ids=[1, 0],
        intermediate_feature_dims=[8, 8], scaled_images_ratios=[0.5, 1.0],
        scaled_images_overlap_ratios=[0.0, 0.2], scaled_images_feature_dims=[8, 8],
        merge_padding_value=1, use_batch_norm_in_fusion_residual=False,
        use_bias_in_fusion_residual=True, use_fov_model=view, num_fov_head_layers=2,
        image_model_config=vit, patch_model_config=vit, fov_model_config=vit,
    )  # fmt: skip
    processor("DepthProImageProcessor", folder, size={"height": 64, "width": 64})
    model = lively(t.DepthProForDepthEstimation(config))
    model.head.layers[-2].bias.data.fill_(1.0)  # before a ReLU, behind which nothing may be left
    if view:
        model.fov_model.head.layers[-1].bias.data.fill_(50.0)  # degrees
    return save(model, folder)


def vitpose(folder, joints=17, classic=False, experts=1, loud=3.0):
    t = library()
    backbone = t.VitPoseBackboneConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=[64, 48],
        patch_size=[16, 16], out_features=["stage2"], num_experts=experts,
        part_features=8,
    )  # fmt: skip
    config = t.VitPoseConfig(
        backbone_config=backbone, use_simple_decoder=not classic, num_labels=joints, scale_factor=4
    )
    processor("VitPoseImageProcessor", folder, size={"height": 64, "width": 48})
    model = lively(t.VitPoseForPoseEstimation(config))
    model.head.conv.weight.data *= loud  # so that some joints are seen
    return save(model, folder)


def rt_detr(folder, names=("bicycle", "car", "person")):
    t = library()
    backbone = t.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"], out_indices=[2, 3, 4],
    )  # fmt: skip
    config = t.RTDetrConfig(
        backbone_config=backbone, encoder_hidden_dim=32, encoder_in_channels=[16, 24, 32],
        feat_strides=[8, 16, 32], encoder_ffn_dim=32, encoder_attention_heads=2, d_model=32,
        num_queries=10, decoder_in_channels=[32, 32, 32], decoder_ffn_dim=32, decoder_layers=2,
        decoder_attention_heads=2, num_denoising=0, anchor_image_size=None,
        id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)},
    )  # fmt: skip
    model = lively(t.RTDetrForObjectDetection(config))
    with torch.no_grad():
        seen = model.eval()(torch.rand(1, 3, 64, 64)).logits[0]
    for head in model.model.decoder.class_embed:  # so that each class is seen somewhere
        head.bias.data -= seen.median(0).values
    processor("RTDetrImageProcessor", folder, size={"height": 64, "width": 64})
    return save(model, folder)


def segformer(folder, labels=12):
    t = library()
    config = t.SegformerConfig(
        hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16, id2label={i: f"thing-{i}" for i in range(labels)},
        label2id={f"thing-{i}": i for i in range(labels)},
    )  # fmt: skip
    processor("SegformerImageProcessor", folder, size={"height": 64, "width": 64})
    return save(lively(t.SegformerForSemanticSegmentation(config)), folder)


def mask2former(folder):
    t = library()
    config = t.Mask2FormerConfig(
        backbone_config=t.SwinConfig(**SWIN), feature_size=32, mask_feature_size=32, **QUERIES
    )
    processor(
        "Mask2FormerImageProcessor", folder, size={"height": 64, "width": 64}, ignore_index=255,
        num_labels=12, size_divisor=32,
    )  # fmt: skip
    return save(lively(t.Mask2FormerForUniversalSegmentation(config)), folder)


def oneformer(folder):
    t = library()
    config = t.OneFormerConfig(
        backbone_config=t.SwinConfig(**SWIN), mask_dim=32, conv_dim=32, text_encoder_width=32,
        text_encoder_num_layers=1, text_encoder_vocab_size=99, text_encoder_context_length=16,
        text_encoder_n_ctx=2, text_encoder_proj_layers=1, query_dec_layers=1, is_training=False,
        task_seq_len=24, **QUERIES,
    )  # fmt: skip
    processor(
        "OneFormerImageProcessor", folder, size={"shortest_edge": 64, "longest_edge": 128},
        class_info_file="ade20k_panoptic.json", num_text=4, ignore_index=255, num_labels=12,
    )  # fmt: skip
    clip_tokenizer(folder)
    return save(lively(t.OneFormerForUniversalSegmentation(config)), folder)


def clip_tokenizer(folder):
    """Letters as words, which is enough to tell one task from another."""
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = [*letters, *(c + "</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: i for i, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    said = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))


def sam(folder):
    t = library()
    config = t.SamConfig(
        vision_config=dict(
            hidden_size=16, output_channels=16, num_hidden_layers=2, num_attention_heads=2,
            image_size=64, patch_size=16, window_size=2, global_attn_indexes=[1], mlp_dim=32,
            num_pos_feats=8,
        ),
        prompt_encoder_config=dict(
            hidden_size=16, image_size=64, patch_size=16, mask_input_channels=4
        ),
        mask_decoder_config=dict(
            hidden_size=16, mlp_dim=32, num_hidden_layers=2, num_attention_heads=2,
            iou_head_hidden_dim=16,
        ),
    )  # fmt: skip
    processor("SamImageProcessor", folder, size={"longest_edge": 64},
              pad_size={"height": 64, "width": 64})  # fmt: skip
    return save(lively(t.SamModel(config)), folder)


def sam2(folder):
    t = library()
    backbone = t.Sam2HieraDetConfig(
        hidden_size=8, num_attention_heads=1, image_size=[128, 128], blocks_per_stage=[1, 2, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64], num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[8, 4, 8, 4], global_attention_blocks=[4],
    )  # fmt: skip
    vision = t.Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=[64, 32, 16, 8], fpn_hidden_size=16,
        backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
    )  # fmt: skip
    config = t.Sam2Config(
        vision_config=vision,
        prompt_encoder_config=dict(hidden_size=16, image_size=128, mask_input_channels=4),
        mask_decoder_config=dict(
            hidden_size=16, mlp_dim=32, num_hidden_layers=2, num_attention_heads=2,
            iou_head_hidden_dim=16,
        ),
    )  # fmt: skip
    processor("Sam2ImageProcessorFast", folder, size={"height": 128, "width": 128},
              mask_size={"height": 32, "width": 32})  # fmt: skip
    return save(lively(t.Sam2Model(config)), folder)
