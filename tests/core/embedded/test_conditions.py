"""What each row is given: equal names and shapes, and absence that says nothing."""

import pytest
import torch

from mm_core.embedded.conditions import (
    EncodedMap,
    EncodedStream,
    EncodedText,
    row_inputs,
    stack_rows,
)
from mm_core.errors import InputError
from mm_core.types import NULL, Row


@pytest.fixture
def encoded(noise):
    return {
        "text": EncodedText(noise(1, 24, 128), noise(1, 24, 128)),
        "style": EncodedStream("style", noise(1, 16, 128)),
        "style 2": EncodedStream("style", noise(1, 16, 128)),
        "audio": EncodedStream("audio", noise(1, 8, 128)),
        "depth": EncodedMap(noise(1, 4, 16, 16), noise(1, 6, 8, 8)),
        "pose": EncodedMap(noise(1, 4, 16, 16), noise(1, 6, 8, 8)),
    }


def only(encoded, *names):
    return {name: encoded[name] for name in names}


def gain_of(inputs, stream):
    return inputs[f"{stream}_gain"].flatten().tolist()


def test_all_rows_of_a_run_have_equal_names_and_shapes(encoded):
    rows = [
        NULL,
        *(Row.of([name]) for name in encoded),
        Row.of(list(encoded)),
        Row.of({"text": 0.5}),
    ]
    shapes = [{k: tuple(v.shape) for k, v in row_inputs(row, encoded).items()} for row in rows]
    assert all(s == shapes[0] for s in shapes)


def test_the_null_row_is_the_null_text_gain_0_and_zero_maps(encoded):
    inputs = row_inputs(NULL, only(encoded, "text", "style", "audio", "depth"))
    assert torch.equal(inputs["context"], encoded["text"].null)
    assert gain_of(inputs, "style") == gain_of(inputs, "audio") == [0.0]
    assert not inputs["fine_residual"].any()
    assert not inputs["coarse_residual"].any()


def test_a_row_of_all_is_every_input_as_it_was_encoded(encoded):
    chosen = only(encoded, "text", "style", "audio", "depth")
    inputs = row_inputs(Row.of(list(chosen)), chosen)
    assert torch.equal(inputs["context"], encoded["text"].tokens)
    assert torch.equal(inputs["style_tokens"], encoded["style"].tokens)
    assert torch.equal(inputs["audio_tokens"], encoded["audio"].tokens)
    assert gain_of(inputs, "style") == gain_of(inputs, "audio") == [1.0]
    assert torch.equal(inputs["fine_residual"], encoded["depth"].fine)
    assert torch.equal(inputs["coarse_residual"], encoded["depth"].coarse)


def test_maps_are_added_by_their_strength(encoded):
    inputs = row_inputs(Row.of({"depth": 0.5, "pose": 2.0}), encoded)
    expected = 0.5 * encoded["depth"].fine + 2.0 * encoded["pose"].fine
    torch.testing.assert_close(inputs["fine_residual"], expected)


def test_strength_is_the_gain_of_a_stream_and_the_blend_of_a_text(encoded):
    inputs = row_inputs(Row.of({"audio": 0.25, "text": 0.25}), encoded)
    assert gain_of(inputs, "audio") == [0.25]
    expected = 0.75 * encoded["text"].null + 0.25 * encoded["text"].tokens
    torch.testing.assert_close(inputs["context"], expected)


def test_inputs_that_are_not_connected_have_no_names(encoded):
    assert set(row_inputs(NULL, only(encoded, "text"))) == {"context"}
    assert set(row_inputs(NULL, only(encoded, "text", "pose"))) == {
        "context", "fine_residual", "coarse_residual",
    }  # fmt: skip


def test_two_style_pictures_are_heard_side_by_side(encoded):
    inputs = row_inputs(Row.of(["style", "style 2"]), encoded)
    parts = [encoded["style"].tokens, encoded["style 2"].tokens]
    assert torch.equal(inputs["style_tokens"], torch.cat(parts, 1))
    assert gain_of(inputs, "style") == [1.0]


def test_one_of_two_style_pictures_is_heard_alone_at_the_same_length(encoded):
    inputs = row_inputs(Row.of(["style 2"]), encoded)
    tokens = encoded["style 2"].tokens
    assert torch.equal(inputs["style_tokens"], torch.cat([tokens, tokens], 1))
    assert gain_of(inputs, "style") == [1.0]


def test_one_of_two_style_pictures_gives_the_prediction_of_one_alone(shipped, noise, encoded):
    x, time = noise(1, 8, 16, 16), torch.tensor([500.0])
    both, alone = only(encoded, "text", "style", "style 2"), only(encoded, "text", "style")
    among = shipped.denoiser(x, time, **row_inputs(Row.of(["style"]), both))
    single = shipped.denoiser(x, time, **row_inputs(Row.of(["style"]), alone))
    torch.testing.assert_close(among, single, rtol=0, atol=1e-5)


def test_two_prompts_stand_side_by_side_and_an_absent_one_is_not_heard(encoded, noise):
    encoded = {**encoded, "text 2": EncodedText(noise(1, 24, 128), noise(1, 24, 128))}
    one, two = encoded["text"].tokens, encoded["text 2"].tokens
    both = row_inputs(Row.of(["text", "text 2"]), encoded)["context"]
    assert torch.equal(both, torch.cat([one, two], 1))
    alone = row_inputs(Row.of(["text 2"]), encoded)["context"]
    assert torch.equal(alone, torch.cat([two, two], 1))


def test_a_sample_without_a_sound_has_gain_0(encoded, noise):
    audio = EncodedStream("audio", noise(3, 8, 128), torch.tensor([1.0, 0.0, 1.0]))
    inputs = row_inputs(Row.of({"audio": 0.5}), {**encoded, "audio": audio})
    assert gain_of(inputs, "audio") == [0.5, 0.0, 0.5]


def test_without_a_text_the_null_tokens_are_those_given(encoded, noise):
    null = noise(1, 24, 128)
    inputs = row_inputs(Row.of(["style"]), only(encoded, "style"), null)
    assert torch.equal(inputs["context"], null)


def test_without_any_text_the_user_is_told_to_give_one(encoded):
    with pytest.raises(InputError, match="there is no text: give a prompt, which may be empty"):
        row_inputs(NULL, only(encoded, "style"))


def test_a_row_that_sees_what_is_not_connected_is_refused_by_name(encoded):
    said = r"no input is connected for \['pose'\]; connected are \['depth', 'text'\]"
    with pytest.raises(InputError, match=said):
        row_inputs(Row.of(["pose", "text"]), only(encoded, "text", "depth"))


def test_stacked_rows_follow_each_other_with_the_batch_inside(encoded):
    rows = [row_inputs(row, encoded) for row in (NULL, Row.of(list(encoded)))]
    stacked = stack_rows(rows, 3)
    for name in rows[0]:
        assert torch.equal(stacked[name], torch.cat([rows[0][name]] * 3 + [rows[1][name]] * 3))


def test_an_input_of_another_batch_is_refused_by_name(encoded, noise):
    audio = EncodedStream("audio", noise(2, 8, 128))
    rows = [row_inputs(Row.of(["audio"]), {**encoded, "audio": audio})]
    with pytest.raises(InputError, match="audio_tokens has a batch of 2 where 3 pictures are made"):
        stack_rows(rows, 3)
