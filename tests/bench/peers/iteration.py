"""A training iteration of one half of the article, on a GPU: seconds, eager or in a CUDA graph."""
import torch
import torch.nn.functional as F
from torch import nn

from common import arguments, report, timed

args = arguments()
device = torch.device(args["device"])
hidden, batch, steps, vocab = args["hidden"], args["batch"], args["steps"], args["vocab"]
in_graph = args["mode"] == "graph"
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False


def one_hot_steps(X):
    """One matrix (batch, vocab) a step."""
    steps_of = []
    for t in range(X.shape[1]):
        rows = torch.zeros(X.shape[0], vocab, device=device)
        rows.scatter_(1, X[:, t].reshape(-1, 1), 1)
        steps_of.append(rows)
    return steps_of


def clip(params, theta):
    """Scales the gradients so that their common norm is at most theta, without asking the device."""
    total = torch.stack([(p.grad**2).sum() for p in params]).sum().sqrt()
    scale = torch.clamp(theta / total, max=1.0)
    for p in params:
        p.grad.mul_(scale)


class Scratch:
    def __init__(self):
        def parameter(*shape):
            return nn.Parameter(torch.randn(*shape, device=device) * 0.01)

        def gate():
            return [parameter(vocab, hidden), parameter(hidden, hidden), parameter(hidden)]

        self.update, self.reset, self.candidate = gate(), gate(), gate()
        self.out = [parameter(hidden, vocab), parameter(vocab)]
        self.params = self.update + self.reset + self.candidate + self.out
        self.state = torch.zeros(batch, hidden, device=device)

    def run(self, X, H):
        outputs = []
        for x in one_hot_steps(X):
            Z = torch.sigmoid(x @ self.update[0] + H @ self.update[1] + self.update[2])
            R = torch.sigmoid(x @ self.reset[0] + H @ self.reset[1] + self.reset[2])
            N = torch.tanh(x @ self.candidate[0] + (R * H) @ self.candidate[1] + self.candidate[2])
            H = Z * H + (1 - Z) * N
            outputs.append(H @ self.out[0] + self.out[1])
        return torch.cat(outputs), H

    def update_params(self):
        with torch.no_grad():
            for p in self.params:
                p -= 1e2 * p.grad


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(vocab, hidden)
        self.dense = nn.Linear(hidden, vocab)
        self.to(device)
        self.params = list(self.parameters())
        self.adam = torch.optim.Adam(self.params, lr=1e-2, **({"capturable": True} if in_graph else {}))
        self.state = torch.zeros(1, batch, hidden, device=device)

    def run(self, X, H):
        output, H = self.rnn(torch.stack(one_hot_steps(X)), H)
        return self.dense(output.view(-1, hidden)), H

    def update_params(self):
        self.adam.step()


model = Layer() if args["half"] == "nn" else Scratch()
X = torch.randint(vocab, (batch, steps), device=device)
Y = torch.randint(vocab, (batch, steps), device=device)


def step():
    logits, _ = model.run(X, model.state)
    loss = F.cross_entropy(logits, Y.t().reshape(-1))
    for p in model.params:
        p.grad = None
    loss.backward()
    clip(model.params, 0.01)
    model.update_params()


run = step
if in_graph:
    side_stream = torch.cuda.Stream()
    side_stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side_stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side_stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    run = graph.replay


def loop():
    for _ in range(args["count"]):
        run()
    if device.type == "cuda":
        torch.cuda.synchronize()


report({"seconds": [s / args["count"] for s in timed(args["samples"], 1, loop)]})
