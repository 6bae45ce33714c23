"""Greedy writing under no_grad, one character after the other: seconds a character."""
import torch
import torch.nn.functional as F
from torch import nn

from common import arguments, read_corpus, report, timed

args = arguments()
_, ids = read_corpus(args["corpus"])
vocab, count = len(ids), args["count"]
rnn, dense = nn.GRU(vocab, args["hidden"]), nn.Linear(args["hidden"], vocab)


def write():
    with torch.no_grad():
        id, state = ids[args["prefix"]], None
        for _ in range(count):
            x = F.one_hot(torch.tensor([[id]]), vocab).float()
            output, state = rnn(x, state)
            id = int(dense(output.view(1, -1)).argmax())


report({"char": [s / count for s in timed(args["samples"], 1, write)]})
