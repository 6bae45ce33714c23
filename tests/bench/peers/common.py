"""What the peers share: arguments key=value, timing, and the line they print.

A peer does in PyTorch what the script of the same name in ours/ does, and prints the same figures as
one JSON object on its last line.
"""
import json
import sys
import time

import torch


def arguments():
    """The arguments as a dict, numbers as numbers; sets the number of threads."""
    args = {}
    for word in sys.argv[1:]:
        key, value = word.split("=", 1)
        try:
            args[key] = int(value)
        except ValueError:
            args[key] = value
    torch.set_num_threads(args.get("threads", 1))
    torch.manual_seed(0)
    return args


def timed(samples, count, f):
    """Seconds a call of f(), over loops of `count` calls; one loop before does not count."""
    result = []
    for i in range(samples + 1):
        start = time.perf_counter()
        for _ in range(count):
            f()
        if i > 0:
            result.append((time.perf_counter() - start) / count)
    return result


def peak_memory():
    """The most memory that this process has held, in bytes."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def report(samples):
    print(json.dumps(samples))


def read_corpus(path, chars=10000):
    """Ids of the first characters, newlines as spaces, and the characters by id."""
    with open(path, encoding="utf-8") as file:
        text = file.read().replace("\n", " ").replace("\r", " ")[:chars]
    ids = {}
    indices = [ids.setdefault(char, len(ids)) for char in text]
    return torch.tensor(indices), ids
