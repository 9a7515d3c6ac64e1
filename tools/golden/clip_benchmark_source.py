"""Makes checkouts of LAION-AI/CLIP_benchmark and webdataset/webdataset importable on a CPU without their other packages.

Nothing of theirs is copied or changed on disk. Replaced in memory:
- requests, pycocoevalcap: needed by tasks that do not run here;
- pycocotools: the four lookups that torchvision's CocoCaptions makes;
- braceexpand: the one pattern that is used, `PREFIX{0..N}SUFFIX`;
- float() of an array of one element, which numpy 2.4 refuses and metrics/zeroshot_classification.py uses.
"""

import builtins
import json
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import reference  # noqa: F401  before torchvision


def use(benchmark: Path, webdataset: Path | None = None) -> dict[str, str]:
    """Puts the checkouts on the path, and returns their commits for the goldens."""
    sys.path.insert(0, str(benchmark))
    commits = {"clip_benchmark": commit(benchmark)}
    if webdataset is not None:
        sys.path.insert(0, str(webdataset / "src"))
        commits["webdataset"] = commit(webdataset)
    stub("requests")
    stub("braceexpand", braceexpand=expand)
    stub("pycocotools")
    stub("pycocotools.coco", COCO=Coco)
    stub("pycocoevalcap")
    for path, name in [
        ("tokenizer.ptbtokenizer", "PTBTokenizer"),
        ("bleu.bleu", "Bleu"),
        ("meteor.meteor", "Meteor"),
        ("rouge.rouge", "Rouge"),
        ("cider.cider", "Cider"),
        ("spice.spice", "Spice"),
    ]:
        stub(f"pycocoevalcap.{path.split('.')[0]}")
        stub(f"pycocoevalcap.{path}", **{name: None})
    from clip_benchmark.metrics import zeroshot_classification

    zeroshot_classification.float = lambda x: builtins.float(x.item() if isinstance(x, np.ndarray) else x)
    return commits


def commit(checkout: Path) -> str:
    return subprocess.check_output(["git", "-C", str(checkout), "rev-parse", "HEAD"], text=True).strip()


def stub(name: str, **members: object) -> None:
    if name in sys.modules:
        return
    module = types.ModuleType(name)
    module.__path__ = []
    vars(module).update(members)
    sys.modules[name] = module


def expand(pattern: str) -> list[str]:
    match = re.fullmatch(r"(.*)\{(\d+)\.\.(\d+)\}(.*)", pattern)
    if match is None:
        return [pattern]
    before, first, last, after = match.groups()
    return [f"{before}{number}{after}" for number in range(int(first), int(last) + 1)]


class Coco:
    """An annotation file of COCO: images by id, and captions by image in the order of the file."""

    def __init__(self, file: str) -> None:
        content = json.loads(Path(file).read_text())
        self.imgs = {image["id"]: image for image in content["images"]}
        self.anns = {annotation["id"]: annotation for annotation in content["annotations"]}

    def getAnnIds(self, imgIds: int) -> list[int]:  # noqa: N802, N803
        return [key for key, annotation in self.anns.items() if annotation["image_id"] == imgIds]

    def loadImgs(self, ids: int) -> list[dict]:  # noqa: N802
        return [self.imgs[ids]]

    def loadAnns(self, ids: list[int]) -> list[dict]:  # noqa: N802
        return [self.anns[key] for key in ids]
