"""The recipe of the embedded model: scenes, autoencoder, oracles, denoiser, in that order."""
