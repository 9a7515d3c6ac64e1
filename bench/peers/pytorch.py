"""The participant PyTorch: open_clip's model on the benchmark's weights.

    python pytorch.py MODEL --precision f32|bf16    answers requests
    python pytorch.py MODEL IMAGE                   embeds one image file and prints the peak memory of the process in bytes
"""

import json
import os
import resource
import sys
from pathlib import Path

sys.path.insert(0, os.fspath(Path(__file__).parents[2] / "tools" / "golden"))
import reference  # noqa: E402  (before anything that imports torchvision)

import numpy as np  # noqa: E402
import open_clip  # noqa: E402
import safetensors  # noqa: E402
import serve  # noqa: E402
import synthetic  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(serve.cores())
torch.set_grad_enabled(False)


def load(directory: Path) -> torch.nn.Module:
    """Builds the model on memory-mapped weights if it has a Hugging Face text network; else loads it as usual."""
    config = json.loads((directory / "open_clip_config.json").read_text())
    if "hf_model_name" not in config["model_cfg"]["text_cfg"]:
        return reference.load(directory)[0]
    file = safetensors.safe_open(directory / "open_clip_model.safetensors", framework="pt")
    return reference.build(config, directory, values=lambda name, _shape: file.get_tensor(name).numpy())


def first_embedding(directory: Path, image: Path) -> None:
    model, config = reference.load(directory)
    pixels, _ = reference.preprocess(model, config, [image], [])
    model.encode_image(pixels).numpy()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def answer_requests(directory: Path, dtype: torch.dtype) -> None:
    model = load(directory)
    pad = reference.special_ids(model).pad
    in_memory = set()

    def into_memory(prefix: str) -> None:
        """Copies a tower's memory-mapped weights into memory, once."""
        if prefix not in in_memory:
            for name, parameter in model.named_parameters():
                if name.startswith("visual.") == (prefix == "visual."):
                    parameter.data = parameter.data.to(dtype, copy=True)
        in_memory.add(prefix)

    def image(request: dict) -> dict:
        into_memory("visual.")
        shape = (request["batch"], 3, *model.visual.image_size)
        pixels = torch.from_numpy(synthetic.values("input.image", shape))
        return serve.timed(lambda: model.encode_image(pixels.to(dtype)).float().numpy())

    def text(request: dict) -> dict:
        into_memory("text.")
        ids = torch.tensor([row + [pad] * (request["padTo"] - len(row)) for row in request["rows"]])
        groups = ids.split(request["batchSize"])
        return serve.timed(lambda: np.concatenate([model.encode_text(group).float().numpy() for group in groups]))

    def matrix(request: dict) -> dict:
        a, b = torch.randn(2, request["size"], request["size"]).to(dtype)
        return serve.timed(lambda: torch.mm(a, b).float().numpy())

    version = f"{torch.__version__}, open_clip {open_clip.__version__}"
    name = "PyTorch" if dtype == torch.float32 else "PyTorch, bf16"
    serve.serve(name, version, {"image": image, "text": text, "matrix": matrix})


if __name__ == "__main__":
    if sys.argv[2] == "--precision":
        answer_requests(Path(sys.argv[1]), {"f32": torch.float32, "bf16": torch.bfloat16}[sys.argv[3]])
    else:
        first_embedding(Path(sys.argv[1]), Path(sys.argv[2]))
