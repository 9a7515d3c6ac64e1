#!/bin/sh
# Creates the Python environment for all goldens in the folder named by the first argument:
#   sh tools/golden/environment.sh .venv && .venv/bin/python tools/golden/golden.py --help
set -eu
dir=${1:?usage: environment.sh DIR}
python3 -m venv "$dir"
"$dir/bin/pip" install -q --retries 0 torch==2.13.0 torchvision==0.28.0 open-clip-torch==3.3.0 \
  transformers==5.17.0 pillow==12.3.0 sentencepiece==0.2.2 scikit-learn==1.9.1
"$dir/bin/python" "$(dirname "$0")/reference.py"
