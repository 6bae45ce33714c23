"""Both halves of the article in PyTorch: seconds an epoch, and the memory of the whole script."""
import time

import torch
import torch.nn.functional as F
from torch import nn

from common import arguments, peak_memory, read_corpus, report


def batches(indices, batch, steps):
    """Consecutive sampling: X and Y, (batch, steps)."""
    length = len(indices) // batch
    rows = indices[: batch * length].view(batch, length)
    for i in range((length - 1) // steps):
        at = i * steps
        yield rows[:, at : at + steps], rows[:, at + 1 : at + steps + 1]


def one_hot_steps(X, size):
    """One matrix (batch, size) a step."""
    steps = []
    for t in range(X.shape[1]):
        rows = torch.zeros(X.shape[0], size)
        rows.scatter_(1, X[:, t].reshape(-1, 1), 1)
        steps.append(rows)
    return steps


def clip(params, theta):
    """Scales the gradients so that their common norm is at most theta."""
    total = torch.zeros(1)
    for p in params:
        total += (p.grad ** 2).sum()
    norm = total.sqrt().item()
    if norm > theta:
        for p in params:
            p.grad.mul_(theta / norm)


class Scratch:
    """The article's first half: gates written with matmul, sigmoid and tanh."""

    def __init__(self, vocab, hidden):
        def matrix(rows, columns):
            return nn.Parameter(torch.randn(rows, columns) * 0.01)

        def gate():
            return [matrix(vocab, hidden), matrix(hidden, hidden), nn.Parameter(torch.zeros(hidden))]

        self.hidden, self.vocab = hidden, vocab
        self.update, self.reset, self.candidate = gate(), gate(), gate()
        self.out = [matrix(hidden, vocab), nn.Parameter(torch.zeros(vocab))]
        self.params = self.update + self.reset + self.candidate + self.out

    def start(self, batch):
        return torch.zeros(batch, self.hidden)

    def run(self, X, H):
        outputs = []
        for x in one_hot_steps(X, self.vocab):
            Z = torch.sigmoid(x @ self.update[0] + H @ self.update[1] + self.update[2])
            R = torch.sigmoid(x @ self.reset[0] + H @ self.reset[1] + self.reset[2])
            N = torch.tanh(x @ self.candidate[0] + (R * H) @ self.candidate[1] + self.candidate[2])
            H = Z * H + (1 - Z) * N
            outputs.append(H @ self.out[0] + self.out[1])
        return torch.cat(outputs), H

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        with torch.no_grad():
            for p in self.params:
                p -= 1e2 * p.grad


class Layer(nn.Module):
    """The second half: nn.GRU and an output layer, with Adam."""

    def __init__(self, vocab, hidden):
        super().__init__()
        self.vocab = vocab
        self.rnn = nn.GRU(vocab, hidden)
        self.dense = nn.Linear(hidden, vocab)
        self.params = list(self.parameters())
        self.adam = torch.optim.Adam(self.params, lr=1e-2)

    def start(self, batch):
        return None

    def run(self, X, H):
        output, H = self.rnn(torch.stack(one_hot_steps(X, self.vocab)), H)
        return self.dense(output.view(-1, output.shape[-1])), H

    def zero_grad(self):
        self.adam.zero_grad()

    def step(self):
        self.adam.step()


def train_epoch(model, indices, batch, steps, state):
    total, count = 0.0, 0
    for X, Y in batches(indices, batch, steps):
        if state is not None:
            state = state.detach()
        logits, state = model.run(X, state)
        y = Y.t().reshape(-1)
        loss = F.cross_entropy(logits, y)
        model.zero_grad()
        loss.backward()
        clip(model.params, 0.01)
        model.step()
        total += loss.item() * len(y)
        count += len(y)
    return state


def write(model, id, count):
    """Greedily `count` characters."""
    with torch.no_grad():
        state = model.start(1)
        for _ in range(count):
            logits, state = model.run(torch.tensor([[id]]), state)
            id = int(logits.argmax())


def main():
    args = arguments()
    indices, ids = read_corpus(args["corpus"])
    samples = {"import_memory": [peak_memory()]}
    for half, kind in (("scratch", Scratch), ("nn", Layer)):
        if args["half"] not in (half, "both"):
            continue
        model, state, seconds = kind(len(ids), args["hidden"]), None, []
        for epoch in range(1, args["epochs"] + 1):
            start = time.perf_counter()
            if half == "scratch":
                state = model.start(args["batch"])
            state = train_epoch(model, indices, args["batch"], args["steps"], state)
            if epoch > args["warm"]:
                seconds.append(time.perf_counter() - start)
            if epoch % args["period"] == 0:
                write(model, ids[args["prefix"]], 50)
        samples["epoch_" + half] = seconds
    samples["memory"] = [peak_memory()]
    report(samples)


if __name__ == "__main__":
    main()
