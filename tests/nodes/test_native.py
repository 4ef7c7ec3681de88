"""ComfyUI's own nodes on the embedded model: it is an ordinary MODEL, CLIP and VAE."""

import numpy as np
import pytest
from compare import identical, levels, psnr, shows_something
from graph import Graph, pictures_of_each
from schemas import options_of

pytestmark = pytest.mark.host


def test_every_native_sampler_makes_a_picture(comfy, object_info):
    names = options_of(object_info, "KSampler", "sampler_name")
    made = pictures_of_each(comfy, names, lambda g, n: g.native(steps=3, sampler_name=n))
    assert [n for n, picture in made.items() if not shows_something(picture)] == []


def test_every_native_scheduler_makes_a_picture(comfy, object_info):
    names = options_of(object_info, "KSampler", "scheduler")
    made = pictures_of_each(comfy, names, lambda g, n: g.native(steps=3, scheduler=n))
    assert [n for n, picture in made.items() if not shows_something(picture)] == []


def test_encoding_and_decoding_gives_the_picture_back(comfy):
    g = Graph()
    small = g.small("style")
    g.save_image(small)
    g.save(g.encoded(small))
    source, back = comfy.images(g.prompt)
    assert psnr(source, back) > 25


def test_tiled_decoding_of_one_tile_is_plain_decoding(comfy):
    g = Graph()
    latent = g.encoded(g.small("style"))
    g.save(latent)
    tiled = g.add(
        "VAEDecodeTiled", samples=latent, vae=g.vae, tile_size=128, overlap=32, temporal_size=64,
        temporal_overlap=8,
    )  # fmt: skip
    g.save_image(tiled)
    plain, tiled = comfy.images(g.prompt)
    assert psnr(plain, tiled) > 45


def test_tiled_decoding_and_encoding_of_several_tiles_resemble_the_plain_ones(comfy):
    g = Graph()
    picture = g.asset("style")  # 256 x 256
    tiles = {"tile_size": 128, "overlap": 32, "temporal_size": 64, "temporal_overlap": 8}
    g.save(g.encoded(picture))
    latent = g.add("VAEEncodeTiled", pixels=picture, vae=g.vae, **tiles)
    g.save_image(g.add("VAEDecodeTiled", samples=latent, vae=g.vae, **tiles))
    plain, tiled = comfy.images(g.prompt)
    assert tiled.size == (256, 256)
    assert psnr(plain, tiled) > 40


def test_less_denoising_stays_nearer_to_the_source(comfy):
    g = Graph()
    source = g.small("style")
    latent = g.encoded(source)
    g.save_image(source)
    for denoise in (0.5, 1.0):
        g.save(g.native(latent_image=latent, denoise=denoise, steps=6))
    source, half, full = comfy.images(g.prompt)
    assert psnr(source, half) > psnr(source, full) + 1


def test_what_the_mask_leaves_out_is_as_after_encoding_and_decoding(comfy):
    g = Graph()
    latent = g.encoded(g.small("style"))
    g.save(latent)
    left_half = g.add(
        "MaskComposite",
        destination=g.add("SolidMask", value=0.0, width=128, height=128),
        source=g.add("SolidMask", value=1.0, width=64, height=128),
        x=0, y=0, operation="add",
    )  # fmt: skip
    masked = g.add("SetLatentNoiseMask", samples=latent, mask=left_half)
    g.save(g.native(latent_image=masked, steps=6))
    g.save(g.guided(g.text(), latent_image=masked, steps=6))
    kept, *painted = (levels(picture) for picture in comfy.images(g.prompt))
    for picture in painted:
        far, near = slice(96, None), slice(None, 64)  # the decoder sees across the mask's edge
        assert psnr(kept[:, far], picture[:, far]) > 55
        assert psnr(kept[:, near], picture[:, near]) < 25


@pytest.mark.parametrize(("width", "height"), [(128, 128), (192, 128), (136, 120)])
def test_the_empty_latent_decides_the_size(comfy, width, height):
    g = Graph()
    g.save(g.native(latent_image=g.empty(width, height)))
    g.save(g.guided(g.text(), latent_image=g.empty(width, height)))
    for picture in comfy.images(g.prompt):
        assert picture.size == (width, height)
        assert shows_something(picture)


def test_a_batch_holds_different_pictures(comfy):
    g = Graph()
    g.save(g.native(latent_image=g.empty(batch=2)))
    g.save(g.guided(g.text(), latent_image=g.empty(batch=2)))
    plain_one, plain_two, guided_one, guided_two = comfy.images(g.prompt)
    assert not identical(plain_one, plain_two)
    assert not identical(guided_one, guided_two)


def test_the_first_of_a_batch_is_the_picture_made_alone(comfy):
    g = Graph()
    g.save(g.native(latent_image=g.empty(batch=2)))
    g.save(g.native(latent_image=g.empty()))
    first, _, alone = comfy.images(g.prompt)
    assert psnr(first, alone) > 50  # row order and batch size change low bits


def test_emphasis_changes_the_picture(comfy):
    g = Graph()
    g.save(g.native("a red circle"))
    g.save(g.native("a (red:1.4) circle"))
    g.save(g.native("a (red:1.0) circle"))
    plain, loud, same = comfy.images(g.prompt)
    assert not identical(plain, loud)
    assert identical(plain, same)


def test_native_prompt_nodes_combine(comfy):
    g = Graph()
    one, two = (g.add("CLIPTextEncode", clip=g.clip, text=t) for t in ("a red circle", "a star"))
    empty = g.add("CLIPTextEncode", clip=g.clip, text="")
    for link in (
        g.add("ConditioningConcat", conditioning_to=one, conditioning_from=two),
        g.add("ConditioningCombine", conditioning_1=one, conditioning_2=two),
        g.add("ConditioningAverage", conditioning_to=one, conditioning_from=two,
              conditioning_to_strength=0.5),
        g.add("ConditioningSetTimestepRange", conditioning=one, start=0.0, end=0.5),
    ):  # fmt: skip
        sampled = g.add(
            "KSampler", model=g.model, positive=link, negative=empty, cfg=4.0, seed=1, steps=4,
            sampler_name="euler", scheduler="normal", denoise=1.0, latent_image=g.empty(),
        )  # fmt: skip
        g.save(sampled)
    made = comfy.images(g.prompt)
    assert len(made) == 4
    assert all(shows_something(picture) for picture in made)
    assert len({picture.tobytes() for picture in made}) == 4


def test_previews_arrive_while_it_samples(comfy):
    g = Graph()
    g.save(g.native(steps=20, seed=401))
    g.save(g.guided(g.text(), steps=20, seed=402))
    frames = []
    comfy.run(g.prompt, on_bytes=frames.append)
    kinds = np.array([int.from_bytes(frame[:4], "big") for frame in frames])
    assert (kinds == 1).sum() >= 2  # the host sends at most one every tenth of a second
    assert any(b"\xff\xd8\xff" in frame[:64] for frame in frames), "no JPEG among the frames"
