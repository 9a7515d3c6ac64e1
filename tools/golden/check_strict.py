"""Loads model directories written by `clipscope convert` into OpenCLIP's model, strictly.

    python tools/golden/check_strict.py MODEL_DIRECTORY…

Prints one line per directory. A missing, unexpected or misshapen key is an error.
"""

import sys
from pathlib import Path

import reference

for argument in sys.argv[1:]:
    model, _ = reference.load(Path(argument))
    tensors = sum(1 for _ in model.state_dict())
    print(f"{argument}: {type(model).__name__} loads its {tensors} tensors strictly")
