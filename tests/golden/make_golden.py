#!/usr/bin/env python3
"""Writes what PyTorch says to tests/golden/*.lua, for tests/golden_spec.lua.

    /usr/bin/python3 tests/golden/make_golden.py            writes the files
    /usr/bin/python3 tests/golden/make_golden.py --check    compares them with a new run, to 1e-6

and then has the other programs of this folder do the same with theirs.

A case is a Lua expression over inputs a, b, c and the same in Python.  The gradients are those of
sum(out * w), w = 0.5, 0.75, 1, ... in row-major order.  Made with PyTorch 1.13; any newer one agrees.
"""
import importlib.util
import math
import os
import re
import subprocess
import sys

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
NAN, INF = math.nan, math.inf
D, S, L, B = torch.float64, torch.float32, torch.int64, torch.bool
NAMES = {D: "float64", S: "float32", L: "int64", B: "bool"}

# ---- Lua text -----------------------------------------------------------------------------------


def number(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return "math.mininteger" if v == -2**63 else str(v)
    if v != v:
        return "0/0"
    if math.isinf(v):
        return "1/0" if v > 0 else "-1/0"
    return repr(v)


def text(s):
    return '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listing(values):
    return "{" + ", ".join(values) + "}"


def tensor(t):
    """A tensor as {dtype, shape, data}; float32 elements are written as the doubles they are."""
    data = t.detach().reshape(-1).tolist()
    return "{%s, %s, %s}" % (text(NAMES[t.dtype]), listing(map(str, t.shape)), listing(map(number, data)))


def wrap(line, width=100):
    """Breaks after commas outside of strings, so that the files can be read."""
    out, current = [], ""
    for piece in re.findall(r'(?:"[^"]*"|[^",]|,(?! ))+(?:, )?', line):
        if current and len(current) + len(piece) > width:
            out.append(current.rstrip())
            current = "    "
        current += piece
    return "\n".join(out + [current])


# ---- cases ----------------------------------------------------------------------------------------

cases = []


def weights(y):
    return (0.5 + 0.25 * torch.arange(y.numel(), dtype=D)).reshape(y.shape).to(y.dtype)


def case(lua, f, *inputs, grad=True, name=None):
    """inputs: tensors; float64 ones are differentiated unless `grad` is False or a set of others."""
    leaves = []
    for k, t in enumerate(inputs):
        wants = t.dtype == D and (grad is True or (grad and k in grad))
        leaves.append(t.clone().requires_grad_() if wants else t)
    outs = f(*[t for t in leaves])
    outs = list(outs) if isinstance(outs, (tuple, list)) else [outs]
    grads = []
    if outs[0].requires_grad:
        (outs[0] * weights(outs[0])).sum().backward()
        grads = ["false" if not t.requires_grad else tensor(t.grad if t.grad is not None else torch.zeros_like(t))
                 for t in leaves]
    # the second result of a reduction is positions, which count from 1 in Lua
    shown = [tensor(outs[0])] + [tensor(o + 1) for o in outs[1:]]
    cases.append("{call = %s, inputs = %s, outs = %s, grads = %s}" % (
        text(lua), listing(map(tensor, inputs)), listing(shown), listing(grads)))


def d(*rows):
    return torch.tensor(rows[0] if len(rows) == 1 else list(rows), dtype=D)


def ids(values):
    """0-based here, 1-based in Lua: the input is written + 1, the function gets it as it is."""
    return torch.tensor(values, dtype=L) + 1


POINTS = [-3.5, -3.0, -2.5, -1.5, -1.0, -0.5, -0.125, 0.0, 0.125, 0.5, 1.0, 1.5, 2.5, 3.0, 19.5]
ABOVE = [1e-3, 0.25, 0.5, 1.0, 1.5, 2.5, 40.0]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -0.5, 1e-30, 1e30, -1e30, 88.0, -88.0, 720.0, -720.0,
           INF, -INF, NAN]


def unary():
    plain = "neg abs sign square floor ceil round trunc relu sigmoid tanh exp expm1 sin cos erf".split()
    above = "reciprocal sqrt rsqrt log log1p".split()
    for name in plain + above:
        f = getattr(torch, name)
        case("a:%s()" % name, f, d(POINTS if name in plain else ABOVE))
        for dtype in (S, D):
            special = SPECIAL
            if name in ("sin", "cos"):
                special = [v for v in SPECIAL if not 1e29 < abs(v) < INF]
            if name == "sign":
                special = SPECIAL[:-1]
            case("a:%s()" % name, f, torch.tensor(special, dtype=dtype), grad=False)
    for name, f in (("silu", F.silu), ("gelu", F.gelu)):
        case("a:%s()" % name, f, d(POINTS))
    case("a:softplus()", lambda a: F.softplus(a, threshold=50), d(POINTS))
    for name in "isnan isinf isfinite logical_not".split():
        case("a:%s()" % name, getattr(torch, name), d(SPECIAL), grad=False)
    for name in "neg abs sign square".split():
        case("a:%s()" % name, getattr(torch, name), torch.tensor([-3, 0, 4, 2**62, -2**63], dtype=L))


def binary():
    a = d([[-2.0, -0.5, 0.0], [1.0, 1.5, 2.0]])
    b = d([[1.0, -0.5, 2.0], [1.0, -3.0, 2.0]])
    for name in "add sub mul div maximum minimum".split():
        f = getattr(torch, name)
        case("a:%s(b)" % name, f, a, b)
        case("a:%s(b)" % name, f, a, b[0])
        case("a:%s(b)" % name, f, a[:, :1], b[0])
    case("a ^ b", torch.pow, d([0.5, 1.0, 2.0, 3.5, 0.0, 0.0]), d([2.0, -1.5, 0.0, 1.0, 2.0, 1.0]))
    case("a ^ b", torch.pow, d([-2.0, -1.5, -1.0]), d([2.0, 3.0, 0.0]), grad={0})
    case("a ^ 3", lambda a: a ** 3, d([-2.0, 0.0, 1.5]))
    case("a ^ 0", lambda a: a ** 0, d([-2.0, 0.0, 1.5]))
    case("2 ^ a", lambda a: 2.0 ** a, d([-2.0, 0.0, 1.5]))
    case("a % b", torch.remainder, d([5.5, -5.5, 5.5, -5.5, 0.0]), d([2.0, 2.0, -2.0, -2.0, 3.0]))
    case("a // b", lambda a, b: torch.div(a, b, rounding_mode="floor"), d([5.5, -5.5, 5.5, -5.5, 1.0]),
         d([2.0, 2.0, -2.0, -2.0, 0.1]), grad=False)
    special = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -3.0, INF, -INF, NAN]
    n = len(special)
    for dtype in (S, D):
        x = torch.tensor(special, dtype=dtype).reshape(n, 1)
        y = torch.tensor(special, dtype=dtype)
        for lua, f in (("a + b", torch.add), ("a - b", torch.sub), ("a * b", torch.mul), ("a / b", torch.div),
                       ("a ^ b", torch.pow), ("a % b", torch.remainder), ("gru.maximum(a, b)", torch.maximum),
                       ("gru.minimum(a, b)", torch.minimum),
                       ("a // b", lambda x, y: torch.div(x, y, rounding_mode="floor"))):
            case(lua, f, x, y, grad=False)
    for name in "eq ne lt le gt ge".split():
        case("a:%s(b)" % name, getattr(torch, name), d(special).reshape(n, 1), d(special), grad=False)
    ints = torch.tensor([-7, -1, 0, 3, 2**62, -2**63], dtype=L)
    divisors = torch.tensor([[2], [-3], [1]], dtype=L)
    for lua, f in (("a + b", torch.add), ("a - b", torch.sub), ("a * b", torch.mul), ("a / b", torch.div),
                   ("a % b", torch.remainder), ("a // b", lambda x, y: torch.div(x, y, rounding_mode="floor")),
                   ("gru.maximum(a, b)", torch.maximum)):
        case(lua, f, ints, divisors)
    case("a ^ b", torch.pow, torch.tensor([-2, -1, 0, 1, 2, 3], dtype=L), torch.tensor([[0], [1], [3], [62]], dtype=L))
    masks = torch.tensor([True, True, False, False]), torch.tensor([True, False, True, False])
    for name in "logical_and logical_or logical_xor".split():
        case("a:%s(b)" % name, getattr(torch, name), *masks)
        case("a:%s(b)" % name, getattr(torch, name), d([0.0, 2.0, NAN]), d([1.0, 0.0, 3.0]), grad=False)


def ternary():
    case("gru.where(a, b, c)", torch.where, torch.tensor([True, False, True]), d([1.0, 2.0, 3.0]), d([[4.0], [5.0]]))
    x = d([-3.0, -1.0, 0.5, 1.0, 3.0])
    case("a:clamp(-1, 1)", lambda a: a.clamp(-1, 1), x)
    case("a:clamp(nil, 1)", lambda a: a.clamp(max=1), x)
    case("a:clamp(-1)", lambda a: a.clamp(min=-1), x)
    case("a:clamp(b, c)", torch.clamp, x, d([-1.0, -1.0, 0.5, 0.0, 0.0]), d([1.0, 0.0, 2.0, 1.0, 1.0]))
    case("a:clamp(0, 1)", lambda a: a.clamp(0, 1), d([NAN, -INF, INF]), grad=False)
    case("gru.lerp(a, b, c)", torch.lerp, d([1.0, 2.0]), d([3.0, -1.0]), d([[0.25], [0.75]]))
    case("a:lerp(b, 0.25)", lambda a, b: torch.lerp(a, b, 0.25), d([1.0, 2.0]), d([3.0, -1.0]))
    case("a:addcmul(b, c, 0.5)", lambda a, b, c: torch.addcmul(a, b, c, value=0.5), d([1.0, 2.0]), d([3.0, 4.0]),
         d([5.0, 6.0]))
    case("a:addcdiv(b, c, 0.5)", lambda a, b, c: torch.addcdiv(a, b, c, value=0.5), d([1.0, 2.0]), d([3.0, 4.0]),
         d([5.0, 8.0]))
    case("a:masked_fill(b, 7)", lambda a, b: a.masked_fill(b, 7), d([1.0, 2.0, 3.0]), torch.tensor([True, False, True]))


def reductions():
    x = d([[1.0, -2.0, 3.0, 0.5], [4.0, 4.0, -1.0, 2.0], [0.0, 1.0, -2.0, 4.0]])
    for name in "sum mean prod max min".split():
        case("(a:%s())" % name, getattr(torch, name), x)
    for name in "sum mean prod".split():
        f = getattr(torch, name)
        case("a:%s(1)" % name, lambda a: f(a, 0), x)
        case("a:%s(-1, true)" % name, lambda a: f(a, -1, True), x)
    case("a:sum({1, 2})", lambda a: a.sum((0, 1)), x)
    case("a:prod(1)", lambda a: a.prod(0), d([[0.0, 0.0, 2.0], [3.0, 0.0, 4.0]]))
    for name in "max min".split():
        f = getattr(torch, name)
        case("a:%s(1)" % name, lambda a: f(a, 0), x)
        case("a:%s(2, true)" % name, lambda a: f(a, 1, True), x)
        case("a:%s(2)" % name, lambda a: f(a, 1), d([[1.0, NAN, 3.0, NAN], [INF, -INF, 0.0, 1.0]]), grad=False)
        case("a:%s()" % name, f, d([1.0, NAN, 3.0]), grad=False)
        case("a:arg%s() - 1" % name, getattr(torch, "arg" + name), x, grad=False)
        case("a:arg%s(2) - 1" % name, lambda a: getattr(torch, "arg" + name)(a, 1), x, grad=False)
    for name in "any all".split():
        f = getattr(torch, name)
        case("a:%s()" % name, f, d([0.0, NAN]), grad=False)
        case("a:%s(2)" % name, lambda a: f(a, 1), torch.tensor([[True, False], [True, True], [False, False]]))
        case("a:%s()" % name, f, torch.empty(0, dtype=B))
    for dtype in (B, L):
        t = torch.tensor([[1, 0, 1], [1, 1, 1]], dtype=dtype)
        for name in "sum prod".split():
            f = getattr(torch, name)
            case("a:%s()" % name, f, t)
            case("a:%s(1)" % name, lambda a: f(a, 0), t)
    case("a:sum()", torch.sum, torch.empty(0, 3, dtype=D), grad=False)
    case("a:mean()", torch.mean, torch.empty(0, dtype=D), grad=False)
    case("a:prod(1)", lambda a: a.prod(0), torch.empty(0, 3, dtype=D), grad=False)
    y = x[:, :3] * 1.5 + 0.25
    for name in "softmax log_softmax".split():
        f = getattr(torch, name)
        for dim in (0, 1):
            case("a:%s(%d)" % (name, dim + 1), lambda a: f(a, dim), y)
        case("a:%s(1)" % name, lambda a: f(a, 0), d([1000.0, 0.0, -1000.0]))
        case("a:%s(1)" % name, lambda a: f(a, 0), d([1.0, -INF, 2.0]), grad=False)
        case("a:%s(1)" % name, lambda a: f(a, 0), d([1.0, NAN, 2.0]), grad=False)
        case("a:%s(1)" % name, lambda a: f(a, 0), d([-INF, -INF]), grad=False)
    case("a:logsumexp(2)", lambda a: a.logsumexp(1), y)
    case("a:logsumexp(1, true)", lambda a: a.logsumexp(0, True), y)
    case("a:logsumexp(1)", lambda a: a.logsumexp(0), d([1000.0, 1000.5]))
    case("a:logsumexp(1)", lambda a: a.logsumexp(0), d([-INF, -INF]), grad=False)
    case("a:logsumexp(1)", lambda a: a.logsumexp(0), d([INF, 1.0]), grad=False)
    case("a:var()", torch.var, y)
    case("a:var(1)", lambda a: a.var(0), y)
    case("a:var(2, true, 0)", lambda a: a.var(1, unbiased=False, keepdim=True), y)
    case("a:std(2)", lambda a: a.std(1), y)
    case("a:norm()", torch.norm, y)
    case("a:norm(1)", lambda a: a.norm(1), y)
    case("a:norm(3, 2)", lambda a: a.norm(3, 1), y)
    case("a:norm(2, 1, true)", lambda a: a.norm(2, 0, True), y)
    case("a:norm(math.huge)", lambda a: a.norm(INF), d([[1.0, -5.5], [3.0, 2.0]]))


def products():
    a, b = d([[1.0, 2.0, -1.0], [0.5, -3.0, 4.0]]), d([[1.0, 0.5], [-2.0, 3.0], [0.25, 1.5]])
    case("a:matmul(b)", torch.matmul, a, b)
    case("a:matmul(b)", torch.matmul, a, b[:, 0].clone())
    case("a:matmul(b)", torch.matmul, a[0].clone(), b)
    case("a:matmul(b)", torch.matmul, a[0].clone(), a[1].clone())
    t = torch.arange(12, dtype=D).reshape(2, 2, 3) / 4 - 1
    case("a:matmul(b)", torch.matmul, t, b)
    case("a:matmul(b)", torch.matmul, t, t.transpose(1, 2).contiguous())
    case("a:matmul(b)", torch.matmul, a[0].clone(), t.transpose(1, 2).contiguous())
    case("a:bmm(b)", torch.bmm, t, t.transpose(1, 2).contiguous())
    case("a:mm(b)", torch.mm, a, b)
    case("a:mv(b)", torch.mv, a, b[:, 0].clone())
    case("a:dot(b)", torch.dot, a[0].clone(), a[1].clone())
    case("a:outer(b)", torch.outer, a[0].clone(), b[0].clone())
    case("a:addmm(b, c, {beta = 0.5, alpha = 2})", lambda a, b, c: torch.addmm(a, b, c, beta=0.5, alpha=2),
         d([[1.0, 2.0]]), a, b)
    case("a:matmul(b)", torch.matmul, torch.tensor([[1, 2], [3, 4]]), torch.tensor([[5], [6]]))


def shapes():
    x = torch.arange(24, dtype=D).reshape(2, 3, 4) / 2 - 3
    case("a:permute(3, 1, 2)", lambda a: a.permute(2, 0, 1), x)
    case("a:transpose(1, -1)", lambda a: a.transpose(0, -1), x)
    case("a:flatten()", torch.flatten, x)
    case("a:flatten(2)", lambda a: a.flatten(1), x)
    case("a[{2, {2, 3}}]", lambda a: a[1, 1:3], x)
    case("a[{{}, {1, 3, 2}}]", lambda a: a[:, 0:3:2], x)
    case("a[-1]", lambda a: a[-1], x)
    case("a:t()", torch.t, x[0])
    case("gru.cat({a, b}, 2)", lambda a, b: torch.cat((a, b), 1), x[0], x[1, :, :2].clone())
    case("gru.cat({a, b})", lambda a, b: torch.cat((a, b)), x[0], x[1, :2].clone())
    case("gru.stack({a, b}, 2)", lambda a, b: torch.stack((a, b), 1), x[0], x[1])
    case("gru.stack({a, b})", lambda a, b: torch.stack((a, b)), x[0], x[1])
    case("a:split(3, 3)[2]", lambda a: a.split(3, 2)[1], x)
    case("a:chunk(2, 2)[1]", lambda a: a.chunk(2, 1)[0], x)
    case("a:unbind(2)[3]", lambda a: a.unbind(1)[2], x)
    case("a:expand(2, 3, 4)", lambda a: a.expand(2, 3, 4), x[0, :, :1])


def positions():
    x = torch.arange(12, dtype=D).reshape(3, 4) / 2 - 2
    one = lambda f: lambda a, i, *rest: f(a, i - 1, *rest)
    case("a:index_select(1, b)", one(lambda a, i: a.index_select(0, i)), x, ids([2, 0, 2]))
    case("a:index_select(2, b)", one(lambda a, i: a.index_select(1, i)), x, ids([3, 3]))
    case("a:index_add(1, b, c)", one(lambda a, i, s: a.index_add(0, i, s)), x, ids([1, 1]),
         d([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]))
    case("gru.embedding(a, b)", one(lambda a, i: F.embedding(i, a)), x, ids([[0, 2], [2, 2]]))
    case("a:gather(1, b)", one(lambda a, i: a.gather(0, i)), x, ids([[0, 1, 2, 0], [2, 2, 0, 1]]))
    case("a:gather(2, b)", one(lambda a, i: a.gather(1, i)), x, ids([[0, 3], [1, 1]]))
    case("a:scatter(2, b, c)", one(lambda a, i, s: a.scatter(1, i, s)), x, ids([[0, 3], [1, 2]]),
         d([[1.0, 2.0], [5.0, 6.0]]))
    case("a:scatter_add(2, b, c)", one(lambda a, i, s: a.scatter_add(1, i, s)), x, ids([[0, 0, 0], [1, 2, 1]]),
         d([[1.0, 2.0, 9.0], [5.0, 6.0, 7.0]]))
    case("a[b]", one(lambda a, i: a[i]), x, ids([2, 0]))
    case("a[b]", one(lambda a, i: a[i]), x, ids([[2, 0], [1, 1]]))
    case("a[b]", lambda a, m: a[m], x, torch.tensor([True, False, True]))
    case("a[b]", lambda a, m: a[m], x, x.gt(0).clone())
    case("a:masked_select(b)", torch.masked_select, x, x.lt(1).clone())
    case("a:nonzero() - 1", torch.nonzero, x, grad=False)
    case("gru.one_hot(b, 4) + a", one(lambda a, i: F.one_hot(i, 4).to(D) + a), d([0.0]), ids([3, 0]), grad=False)


def losses():
    x = d([[1.0, 2.0, 3.0], [0.5, -0.5, 0.0], [2.0, 1.0, 0.0], [-1.0, 4.0, 0.25]])
    w = d([0.2, 0.3, 0.5])
    for reduction in ("mean", "sum", "none"):
        for smoothing in (0.0, 0.1):
            for ignore in (None, -100, 0):
                for weight in (None, w):
                    target = torch.tensor([2, 0, -100 if ignore == -100 else 1, 1])
                    shown = torch.where(target == -100, target, target + 1)
                    lua = "core.cross_entropy(a, b, %s, %s, '%s', %s)" % (
                        "nil" if weight is None else "c",
                        {None: "nil", -100: "-100", 0: "1"}[ignore], reduction, smoothing)

                    def f(a, t, *rest):
                        zero = torch.where(t == -100, t, t - 1)
                        return F.cross_entropy(a, zero, rest[0] if rest else None, reduction=reduction,
                                               label_smoothing=smoothing,
                                               ignore_index=-100 if ignore is None else ignore)
                    case(lua, f, x, shown, *([] if weight is None else [weight]), grad={0})
    case("core.cross_entropy(a, b)", lambda a, t: F.cross_entropy(a, t - 1), x[0], torch.tensor(2))
    case("core.cross_entropy(a, b, nil, -100)", lambda a, t: F.cross_entropy(a, t), x[:2],
         torch.tensor([-100, -100]), grad=False)
    case("core.cross_entropy(a, b)", lambda a, t: F.cross_entropy(a, t - 1),
         d([[1000.0, 0.0, -1000.0], [-INF, 1.0, 2.0]]), torch.tensor([1, 3]))


def arrangements():
    x = d([[1.5, -2.0, 3.0, 0.5], [4.0, 2.5, -1.0, 2.0], [0.0, 1.0, -2.5, 5.0]])
    ties = d([[2.0, 1.0, 2.0], [1.0, 1.0, 1.0]])
    t = torch.arange(24, dtype=D).reshape(2, 3, 4) / 2 - 3
    for name in ("cumsum", "cumprod"):
        f = getattr(torch, name)
        case("a:%s(1)" % name, lambda a: f(a, 0), x)
        case("a:%s(-1)" % name, lambda a: f(a, -1), t)
    case("a:cumprod(1)", lambda a: a.cumprod(0), d([2.0, 0.0, 3.0, 0.0, 1.0]))
    case("a:cumsum(1)", lambda a: a.cumsum(0), torch.tensor([True, False, True]))
    for name in ("amax", "amin"):
        f = getattr(torch, name)
        case("a:%s()" % name, f, ties)
        case("a:%s(2, true)" % name, lambda a: f(a, 1, True), ties)
        case("a:%s({1, 3})" % name, lambda a: f(a, (0, 2)), t)
    case("a:median()", torch.median, x)
    case("(a:median(2))", lambda a: a.median(1).values, x)
    for lua, kw in (("", {}), (", true", {"descending": True})):
        case("a:sort(2%s)" % lua, lambda a: torch.sort(a, dim=1, stable=True, **kw), x)
        case("a:sort(1%s)" % lua, lambda a: torch.sort(a, dim=0, stable=True, **kw), x)
    case("a:sort()", lambda a: torch.sort(a, stable=True), d([2.0, NAN, 1.0, 2.0, -INF]), grad=False)
    case("a:argsort(2) - 1", lambda a: torch.argsort(a, dim=1), x, grad=False)
    case("a:topk(2)", lambda a: a.topk(2), x)
    case("a:topk(2, 1, false)", lambda a: a.topk(2, 0, largest=False), x)
    case("(a:kthvalue(2))", lambda a: a.kthvalue(2).values, x)
    for diagonal in (-1, 0, 2):
        for name in ("tril", "triu"):
            f = getattr(torch, name)
            case("a:%s(%d)" % (name, diagonal), lambda a: f(a, diagonal), t)
        case("a:diag(%d)" % diagonal, lambda a: a.diag(diagonal), x)
    case("a:diag(1)", lambda a: a.diag(1), x[0])
    case("a:trace()", torch.trace, x)
    case("a:flip(1)", lambda a: a.flip(0), x)
    case("a:flip({1, 3})", lambda a: a.flip((0, 2)), t)
    case("a:roll(1)", lambda a: a.roll(1), x)
    case("a:roll({1, -1}, {1, 2})", lambda a: a.roll((1, -1), (0, 1)), x)
    case("a:movedim(1, -1)", lambda a: a.movedim(0, -1), t)
    case("a:movedim({1, 2}, {2, 3})", lambda a: a.movedim((0, 1), (1, 2)), t)
    case("a:unflatten(2, {2, -1})", lambda a: a.unflatten(1, (2, 2)), x)
    case("a:repeat_(2, 1, 3)", lambda a: a.repeat(2, 1, 3), x[:2, :2].clone())
    case("a:tile(2)", lambda a: a.tile(2), x[:2, :2].clone())
    case("a:repeat_interleave(2)", lambda a: a.repeat_interleave(2), x[0])
    case("a:repeat_interleave(2, 1)", lambda a: a.repeat_interleave(2, 0), x)
    case("a:nansum()", torch.nansum, d([1.0, NAN, 3.0]), grad=False)
    case("a:count_nonzero()", torch.count_nonzero, ties)
    case("a:tan()", torch.tan, d(POINTS))
    case("a:baddbmm(b, c)", torch.baddbmm, t[:, :, :3].clone(), t[:, :, :2].clone(), t[:, :2, :3].clone())
    case("a:addmv(b, c)", torch.addmv, x[:, 0].clone(), x, x[0])
    case("a:log2()", torch.log2, d(ABOVE))
    case("a:log10()", torch.log10, d(ABOVE))
    case("a:logsumexp({1, 2})", lambda a: a.logsumexp((0, 1)), x)
    case("a:norm(0)", lambda a: a.norm(0), d([1.0, 0.0, 2.0]), grad=False)
    case("a:norm(-math.huge, 1)", lambda a: a.norm(-INF, 0), x)
    case("a:norm()", torch.norm, d([0.0, 0.0]))


# ---- promotion ------------------------------------------------------------------------------------

def promotion():
    """The dtype of a + b for every pair of dtypes and ranks: with dims, 0-d, a Lua number."""
    kinds = [(rank, dtype) for rank in ("dims", "0-d") for dtype in (B, L, S, D)] + [("number", L), ("number", S)]
    lines = []

    def make(rank, dtype):
        if rank == "number":
            return 1 if dtype == L else 1.0
        return torch.ones((2,) if rank == "dims" else (), dtype=dtype)

    for ra, da in kinds:
        for rb, db in kinds:
            if ra == rb == "number":
                continue
            row = ['"%s %s"' % (ra, NAMES[da]), '"%s %s"' % (rb, NAMES[db])]
            for f in (torch.add, torch.div, torch.lt):
                a, b = make(ra, da), make(rb, db)
                y = f(a, b) if isinstance(a, torch.Tensor) else {
                    torch.add: lambda a, b: a + b, torch.div: lambda a, b: a / b, torch.lt: lambda a, b: a < b}[f](a, b)
                row.append('"%s"' % NAMES[y.dtype])
            lines.append("  {" + ", ".join(row) + "},")
    return "-- a, b, dtype of a + b, of a / b, of a < b\nreturn {\n" + "\n".join(lines) + "\n}\n"


# ---- random numbers ---------------------------------------------------------------------------------

def random_numbers():
    lines = []

    def draw(seed, lua, f):
        torch.manual_seed(seed)
        outs = f()
        lines.append(wrap("  {seed = %d, draws = %s, outs = %s}," % (
            seed, listing(map(text, lua)), listing(map(tensor, outs)))))

    for seed in (0, 42, 137, 2**32 + 5, 2**63 - 1):
        draw(seed, ["gru.rand(6)"], lambda: [torch.rand(6)])
    e = torch.empty
    draw(1, ["gru.rand(5, {dtype = 'float64'})"], lambda: [torch.rand(5, dtype=D)])
    draw(2, ["gru.empty(7):uniform_(-0.3, 0.7)"], lambda: [e(7).uniform_(-0.3, 0.7)])
    draw(3, ["gru.randn(5)", "gru.randn(4)"], lambda: [torch.randn(5), torch.randn(4)])
    draw(4, ["gru.randn(16)"], lambda: [torch.randn(16)])
    draw(5, ["gru.randn(21)"], lambda: [torch.randn(21)])
    draw(6, ["gru.randn(5, {dtype = 'float64'})", "gru.randn(19, {dtype = 'float64'})"],
         lambda: [torch.randn(5, dtype=D), torch.randn(19, dtype=D)])
    draw(7, ["gru.empty(4, 5):normal_(2, 3)"], lambda: [e(4, 5).normal_(2, 3)])
    draw(8, ["gru.empty(9):bernoulli_(0.3)"], lambda: [e(9).bernoulli_(0.3)])
    draw(9, ["gru.randint(0, 10, {8})", "gru.randint(-5, 5, {3})"],
         lambda: [torch.randint(0, 10, (8,)), torch.randint(-5, 5, (3,))])
    draw(10, ["gru.randint(0, %d, {4})" % 2**40], lambda: [torch.randint(0, 2**40, (4,))])
    draw(11, ["gru.randperm(10)"], lambda: [torch.randperm(10) + 1])
    draw(12, ["gru.rand(3, 4):t()", "gru.randn(2)", "gru.rand(2)"],
         lambda: [torch.rand(3, 4).t().contiguous(), torch.randn(2), torch.rand(2)])

    def linear():
        m = torch.nn.Linear(2, 1)
        return [m.weight, m.bias]
    bound = 1 / math.sqrt(2)
    draw(0, ["gru.empty(1, 2):uniform_(-%r, %r)" % (bound, bound), "gru.empty(1):uniform_(-%r, %r)" % (bound, bound)],
         linear)

    def gru():
        m = torch.nn.GRU(2, 3)
        return [m.weight_ih_l0, m.weight_hh_l0, m.bias_ih_l0, m.bias_hh_l0]
    bound = 1 / math.sqrt(3)
    draw(0, ["gru.empty(%s):uniform_(-%r, %r)" % (s, bound, bound) for s in ("9, 2", "9, 3", "9", "9")], gru)
    return "return {\n" + "\n".join(lines) + "\n}\n"


# ---- files ----------------------------------------------------------------------------------------------

def files():
    for part in (unary, binary, ternary, reductions, products, shapes, positions, losses, arrangements):
        part()
    return {
        "ops.lua": "return {\n" + "\n".join(wrap("  " + c + ",") for c in cases) + "\n}\n",
        "promotion.lua": promotion(),
        "random.lua": random_numbers(),
    }


NUMBER = re.compile(r"(?<![\w\"'])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def agree(old, new):
    """Equal but for numbers, which agree to 1e-6."""
    a, b = NUMBER.findall(old), NUMBER.findall(new)
    if NUMBER.sub("#", old).split() != NUMBER.sub("#", new).split() or len(a) != len(b):
        return "the texts differ"
    for x, y in zip(a, b):
        if abs(float(x) - float(y)) > 1e-6 * max(1, abs(float(y))):
            return "%s and %s" % (x, y)
    return None


def others():
    """Runs the programs beside this one, with its arguments; were they content?"""
    content = True
    for name in "surface layers nn optim article files".split():
        if name == "files" and not importlib.util.find_spec("safetensors"):
            print("files.py: left out, it wants the package safetensors")
            continue
        command = [sys.executable, os.path.join(HERE, name + ".py"), *sys.argv[1:]]
        content = subprocess.run(command, check=False).returncode == 0 and content
    return content


def main():
    header = "-- Made by tests/golden/make_golden.py with PyTorch %s: not to be edited.\n" % torch.__version__
    failed = False
    for name, body in files().items():
        path = os.path.join(HERE, name)
        if "--check" in sys.argv:
            with open(path, encoding="utf-8") as f:
                old = f.read().split("\n", 1)[1]
            why = agree(old, body)
            print("%s: %s" % (name, why or "agrees"))
            failed = failed or why is not None
        else:
            with open(path, "w", encoding="utf-8") as f:
                f.write(header + body)
    sys.stdout.flush()
    return 0 if others() and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
