"""Multimodal conditioning without a host: every input with its own guidance weight.

In the order of the flow:
    types, errors    the vocabulary: Row, Modality, Window, and everything raised on purpose
    numerics         per-sample reductions
    weights          files: headers, strict loading, atomic saving
    encoders         files and tensors of any size -> what the modalities read
    fusion           several embeddings as one: modes, blocks of nine kinds, their files
    adapters         weights that others trained for a base model: image prompts
    priors           a text's embedding -> an image embedding that belongs to it
    branches         what each row is given
    guidance         which rows, and how they add up: plan, algebra, compositions, program
    embedded         the small model that ships with the pack: scenes, networks, samplers
    evaluation       oracles and measures
    training         the recipe of the embedded model, and fits of fusion blocks
    cli              the command mmc

Import from the modules; this one imports nothing, so that loading the pack costs nothing.
"""
