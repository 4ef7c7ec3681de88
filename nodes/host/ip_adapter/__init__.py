"""Image prompts on a UNet of the host: files, pictures, and the attention that hears them."""
