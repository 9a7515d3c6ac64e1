"""The participant's side of the benchmark's protocol (protocol.ts): answers requests from standard input until it ends."""

import base64
import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np


def serve(name: str, version: str, answers: dict[str, Callable[[dict], dict]]) -> None:
    """Serves requests; `answers` maps the kind of a request to the function that answers it."""
    print(json.dumps({"name": name, "version": version, "kinds": list(answers)}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answers[request["kind"]](request)), flush=True)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def timed(run: Callable[[], np.ndarray | None]) -> dict:
    """The reply for a function that returns an embedding or None."""
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    if result is None:
        return {"seconds": seconds}
    return {"seconds": seconds, "embedding": base64.b64encode(result.astype("<f4").tobytes()).decode()}
