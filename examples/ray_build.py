"""Builds a planned index on a Ray cluster: one task for each share of the partitions.

    clipscope index plan 'shards/{00000..00999}.tar' --out /shared/index
    python examples/ray_build.py /shared/index --tasks 64 --gpus 1

Every node needs clipscope, and the folder on a disk that all of them share. A task that ends with 75 (try again), or
whose node is lost, runs again; committed partitions are skipped.
"""

import argparse
import subprocess

import ray

TRY_AGAIN = 75


class TryAgain(Exception):
    """A condition that may pass, such as a full disk."""


def build(command, folder, index, of):
    args = [*command, "index", "build", "--out", folder, "--task", str(index), "--of", str(of), "--json"]
    done = subprocess.run(args, capture_output=True, text=True)
    if done.returncode == TRY_AGAIN:
        raise TryAgain(done.stderr)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--gpus", type=float, default=0)
    parser.add_argument("--clipscope", nargs="+", default=["npx", "clipscope"])
    options = parser.parse_args()
    ray.init()
    task = ray.remote(num_gpus=options.gpus, max_retries=3, retry_exceptions=[TryAgain])(build)
    shares = [task.remote(options.clipscope, options.folder, i, options.tasks) for i in range(options.tasks)]
    for report in ray.get(shares):
        print(report)


if __name__ == "__main__":
    main()
