"""A cluster of three nodes on one machine, one of which leaves in the middle of a run. Prints one JSON object.

Run inside `unshare -n` with the loopback device up: Ray binds the address of the host, which then is 127.0.0.1.
"""

import json
import os
import sys
import threading
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

import tidings


def main(path: str, out: str) -> None:
    os.environ.setdefault("RAY_worker_niceness", "0")
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": 100 * 2**20},
    )
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20) for _ in range(2)]
    ray.init(address=cluster.address, logging_level="ERROR", log_to_driver=False)
    left: list[int] = []

    def leave() -> None:
        events = Path(out)
        while sum(p.stat().st_size for p in events.rglob("*.jsonl") if "events" in p.parts) < 20_000:
            if is_over.wait(0.05):
                return
        cluster.remove_node(nodes[1], allow_graceful=False)
        left.append(1)

    is_over = threading.Event()
    leaver = threading.Thread(target=leave)
    leaver.start()
    try:
        run = tidings.run(path, out=out, overrides={"runner.kind": "ray", "runner.workers": 3})
    finally:
        is_over.set()
        leaver.join()
    for _ in range(300):  # the head notices after a few missed health checks
        if (n_alive := sum(node["Alive"] for node in ray.nodes())) == 2:
            break
        is_over.clear()
        is_over.wait(0.1)
    print(json.dumps({"status": run.status, "folder": str(run.path), "n_left": len(left), "n_alive": n_alive}))
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
