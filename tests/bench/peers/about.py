"""Which PyTorch this is, and which BLAS it works with."""
import json
import os
import re
import sys

import torch

torch.mm(torch.ones(2, 2), torch.ones(2, 2))
with open("/proc/self/maps") as maps:
    paths = {os.path.realpath(line.split()[-1]) for line in maps if "/" in line}
blas = "unknown BLAS"
for path in paths:
    name = os.path.basename(path)
    if "openblas" in name:
        version = re.search(r"(\d+\.\d+(\.\d+)?)", name)
        flavour = re.search(r"openblas-([a-z]+)/", path)
        blas = "OpenBLAS %s (%s)" % (
            version.group(1) if version else "unknown version",
            flavour.group(1) if flavour else "unknown flavour",
        )
if torch.backends.mkl.is_available():
    blas = "MKL"
print(json.dumps({"version": torch.__version__, "blas": blas, "python": sys.version.split()[0]}))
