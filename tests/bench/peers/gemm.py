"""A product of two square matrices of floats, which is the BLAS's sgemm alone: seconds."""
import torch

from common import arguments, report, timed

args = arguments()
a, b = torch.randn(args["size"], args["size"]), torch.randn(args["size"], args["size"])
report({"matmul": timed(args["samples"], 1, lambda: a @ b)})
