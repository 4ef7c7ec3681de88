"""Image prompts: a picture's features become tokens that attention hears beside the text.

In the order of use:
    keys, layout, load     a file -> what it is (Layout) -> a module (IPAdapter)
    sites                  which layer of the file belongs to which attention of the model
    combine, projection    features of one or several pictures -> tokens
    keys_values            tokens -> keys and values of every layer, once for a whole run
    attend, scaling        text attention plus image attention
    weight_types, masks    how strongly, at which layer and where in the picture
    lora                   the extra weights of FaceID files
    flux, time_resampler, sd35   the same for diffusion transformers

Source: Ye et al. 2023 (IP-Adapter), arXiv 2308.06721.
"""
