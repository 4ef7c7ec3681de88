"""API prompts on the embedded model, built node by node."""

from mm_core.embedded.defaults import WEIGHTS

PROMPT = "a red circle"
KINDS = {
    "style": "MMC_StyleImage",
    "depth": "MMC_Depth",
    "pose": "MMC_Pose",
    "segmentation": "MMC_Segmentation",
}


class Graph:
    """Every method adds what it names and returns a link to its first output."""

    def __init__(self):
        self.prompt = {}
        node, _ = self.add("MMC_LoadEmbedded")
        self.model, self.clip, self.vae, self.adapters = ([node, i] for i in range(4))

    def add(self, kind, /, **inputs):
        node = str(len(self.prompt) + 1)
        self.prompt[node] = {"class_type": kind, "inputs": inputs}
        return [node, 0]

    # inputs

    def text(self, prompt=PROMPT, **strength):
        return self.add("MMC_Text", clip=self.clip, text=prompt, **_strength("text", strength))

    def picture(self, name, asset=None, **strength):
        """The style, depth, pose or segmentation input, from its example file."""
        return self.add(
            KINDS[name],
            image=self.asset(asset or name),
            adapters=self.adapters,
            **_strength(name, strength),
        )

    def sound(self, **strength):
        audio = self.add("LoadAudio", audio="mmc_sound.wav")
        return self.add(
            "MMC_Audio", audio=audio, adapters=self.adapters, **_strength("audio", strength)
        )

    def asset(self, name):
        return self.add("LoadImage", image=f"mmc_{name}.png")

    def small(self, name):
        """An example picture at 128 x 128."""
        return self.add(
            "ImageScale",
            image=self.asset(name),
            upscale_method="area",
            width=128,
            height=128,
            crop="center",
        )

    # latents

    def empty(self, width=128, height=128, batch=1):
        return self.add("EmptyLatentImage", width=width, height=height, batch_size=batch)

    def encoded(self, image):
        return self.add("VAEEncode", pixels=image, vae=self.vae)

    def guided(self, *modalities, composition="leave_one_out", push=1.0, **sampling):
        """MMC_KSampler."""
        return self.add(
            "MMC_KSampler",
            model=self.model,
            composition=composition,
            cfg=push,
            **_connected(modalities),
            **self.sampling(**sampling),
        )

    def guider(self, *modalities, composition="leave_one_out", push=1.0, **effort):
        return self.add(
            "MMC_Guider",
            model=self.model,
            composition=composition,
            cfg=push,
            **_connected(modalities),
            **effort,
        )

    def custom(self, guider, seed=1, steps=4, sampler_name="euler", scheduler="normal"):
        """SamplerCustomAdvanced, with the settings of guided."""
        return self.add(
            "SamplerCustomAdvanced",
            noise=self.add("RandomNoise", noise_seed=seed),
            guider=guider,
            sampler=self.add("KSamplerSelect", sampler_name=sampler_name),
            sigmas=self.add(
                "BasicScheduler", model=self.model, scheduler=scheduler, steps=steps, denoise=1.0
            ),
            latent_image=self.empty(),
        )

    def native(self, prompt=PROMPT, cfg=4.0, **sampling):
        """ComfyUI's own KSampler, against the empty prompt."""
        return self.add(
            "KSampler",
            model=self.model,
            positive=self.add("CLIPTextEncode", clip=self.clip, text=prompt),
            negative=self.add("CLIPTextEncode", clip=self.clip, text=""),
            cfg=cfg,
            **self.sampling(**sampling),
        )

    # pictures

    def decoded(self, latent):
        return self.add("VAEDecode", samples=latent, vae=self.vae)

    def save(self, latent):
        return self.save_image(self.decoded(latent))

    def keep(self, latent):
        """SaveLatent."""
        return self.add("SaveLatent", samples=latent, filename_prefix="test")

    def words(self, prompt=""):
        """CONDITIONING of a prompt."""
        return self.add("CLIPTextEncode", clip=self.clip, text=prompt)

    def save_image(self, image):
        return self.add("SaveImage", images=image, filename_prefix="test")

    def sampling(self, **given):
        """A sampler's settings: 4 steps of euler with seed 1, but for what is given."""
        if "latent_image" not in given:
            given = {**given, "latent_image": self.empty()}
        return {
            "seed": 1,
            "steps": 4,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            **given,
        }


def _strength(name, given):
    return {"weight": WEIGHTS[name], "start": 0.0, "end": 1.0, **given}


def _connected(modalities):
    return {f"modalities.modality{i}": link for i, link in enumerate(modalities)}


def pictures_of_each(comfy, names, draw):
    """{name: picture} for one prompt per name; draw(graph, name) gives the latent."""
    found = {}
    for name in names:
        g = Graph()
        g.save(draw(g, name))
        (found[name],) = comfy.images(g.prompt)
    return found
