#!/usr/bin/env python3
"""Writes what PyTorch says of the tensor section's remaining ops to surface.lua, for surface_spec.lua.

    /usr/bin/python3 tests/golden/surface.py            writes the file
    /usr/bin/python3 tests/golden/surface.py --check    compares it with a new run, to 1e-6

Cases are those of make_golden.py: a Lua expression over a, b, c, the same in Python, the gradients of
sum(out * w).  `prints` holds what PyTorch prints, in Lua's spelling.
"""
import os
import re
import sys

import torch

import make_golden as golden
from make_golden import B, D, INF, L, NAN, S, case, d, ids

HERE = os.path.dirname(os.path.abspath(__file__))


def position(f):
    """f of ids that are written + 1 for Lua."""
    return lambda a, i, *rest: f(a, i - 1, *rest)


X = d([[1.0, -2.0, 3.0, 0.5], [4.0, 4.5, -1.0, 2.0], [0.25, 1.5, -2.5, 3.5]])
CUBE = (torch.arange(24, dtype=D) * 7 % 24).reshape(2, 3, 4) / 4 - 2
SPECIAL = d([[NAN, 1.0, INF, -INF], [0.0, -0.0, NAN, NAN], [2.0, 2.0, 1.0, 1.0]])


def scans():
    for name in ("cumsum", "cumprod"):
        f = getattr(torch, name)
        for dim in (0, 1, 2):
            case("a:%s(%d)" % (name, dim + 1), lambda a: f(a, dim), CUBE + 0.125)
        case("a:%s(-1)" % name, lambda a: f(a, -1), X)
        case("a:%s(1)" % name, lambda a: f(a, 0), torch.tensor(2.0, dtype=D))
        case("a:%s(1)" % name, lambda a: f(a, 0), torch.empty(0, 3, dtype=D), grad=False)
        case("a:%s(1)" % name, lambda a: f(a, 0), torch.tensor([1, 2, 2**62, 4], dtype=L))
        case("a:%s(1)" % name, lambda a: f(a, 0), torch.tensor([True, True, False, True]))
        case("a:%s(1)" % name, lambda a: f(a, 0), d([1.0, INF, NAN, 2.0]), grad=False)
    for zeros in ([0.0, 2.0, 3.0], [2.0, 0.0, 3.0, 4.0], [2.0, 0.0, 3.0, 0.0, 5.0], [0.0, 0.0], [3.0, 0.0]):
        case("a:cumprod(1)", lambda a: a.cumprod(0), d(zeros))


def ordering():
    for desc in (False, True):
        lua = "true" if desc else "false"
        for dim in (0, 1, 2):
            case("a:sort(%d, %s)" % (dim + 1, lua), lambda a: torch.sort(a, dim=dim, descending=desc), CUBE)
        case("a:sort({descending = %s})" % lua, lambda a: torch.sort(a, descending=desc), X)
        for dtype in (D, S, L, B):
            t = SPECIAL if dtype in (D, S) else torch.tensor([[3, 1, 3, 0], [0, 0, 1, 1], [-5, 2**62, -2**63, 7]])
            case("a:sort(-1, %s)" % lua, lambda a: torch.sort(a, stable=True, dim=-1, descending=desc),
                 t.to(dtype), grad=False)
            case("a:argsort(1, %s) - 1" % lua,
                 lambda a: torch.sort(a, stable=True, dim=0, descending=desc)[1], t.to(dtype), grad=False)
    for k in (1, 2, 4):
        case("a:topk(%d)" % k, lambda a: a.topk(k), X)
        case("a:topk(%d, 2, false)" % k, lambda a: a.topk(k, 1, False), X)
    case("a:topk(2, 1)", lambda a: a.topk(2, 0), CUBE)
    case("a:topk(2, {dim = 1, largest = false})", lambda a: a.topk(2, 0, False), CUBE)
    case("a:topk(2)", lambda a: a.topk(2), torch.tensor([[3, 1, 2], [7, 9, 8]], dtype=L))
    case("a:kthvalue(2)", lambda a: a.kthvalue(2), X)
    case("a:kthvalue(2, 1, true)", lambda a: a.kthvalue(2, 0, True), X)
    case("a:median()", torch.median, X)
    case("a:median()", torch.median, X[:, :3].contiguous())
    case("a:median()", torch.median, d([1.0, NAN, 3.0]), grad=False)
    case("a:median(1)", lambda a: a.median(0), X)
    case("a:median(2)", lambda a: a.median(1), X)
    case("a:median(2, true)", lambda a: a.median(1, True), CUBE)
    case("a:median(2)", lambda a: a.median(1), d([[1.0, NAN, 3.0], [3.0, 1.0, 2.0]]), grad=False)
    case("a:median()", torch.median, torch.tensor([4, 1, 3, 2], dtype=L))
    for name in ("amax", "amin"):
        f = getattr(torch, name)
        case("a:%s()" % name, lambda a: f(a), X)
        case("a:%s(1)" % name, lambda a: f(a, 0), X)
        case("a:%s({1, 3}, true)" % name, lambda a: f(a, (0, 2), True), CUBE)
        case("a:%s(2)" % name, lambda a: f(a, 1), d([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]))
        case("a:%s(2)" % name, lambda a: f(a, 1), SPECIAL, grad=False)
    case("a:argmax(1, true) - 1", lambda a: a.argmax(0, True), X, grad=False)
    case("a:argmin(2, true) - 1", lambda a: a.argmin(1, True), X, grad=False)
    s = d([1.0, 2.0, 2.0, 4.0])
    for right in (False, True):
        case("gru.searchsorted(a, b, %s) - 1" % str(right).lower(), lambda a, b: torch.searchsorted(a, b, right=right),
             s, d([[0.0, 1.0, 2.0], [3.0, 4.0, 9.0]]), grad=False)
        case("gru.searchsorted(a, b, %s) - 1" % str(right).lower(), lambda a, b: torch.searchsorted(a, b, right=right),
             torch.stack((s, s + 1)), d([[2.0, NAN], [3.0, 1.0]]), grad=False)


def rearranging():
    case("a:flip(1)", lambda a: a.flip(0), X)
    case("a:flip(1, 3)", lambda a: a.flip(0, 2), CUBE)
    case("a:flip({-1})", lambda a: a.flip(-1), CUBE)
    case("a:fliplr()", torch.fliplr, X)
    case("a:flipud()", torch.flipud, X)
    case("a:roll(2)", lambda a: a.roll(2), X)
    case("a:roll(-1, 1)", lambda a: a.roll(-1, 0), X)
    case("a:roll({1, 5}, {1, -1})", lambda a: a.roll((1, 5), (0, -1)), X)
    case("a:movedim(1, 3)", lambda a: a.movedim(0, 2), CUBE)
    case("a:movedim({1, 3}, {2, 1})", lambda a: a.movedim((0, 2), (1, 0)), CUBE)
    case("a:swapaxes(1, -1)", lambda a: a.swapaxes(0, -1), CUBE)
    case("a:unflatten(3, 2, 2)", lambda a: a.unflatten(2, (2, 2)), CUBE)
    case("a:unflatten(-1, {2, -1})", lambda a: a.unflatten(-1, (2, -1)), CUBE)
    case("a:repeat_(2, 3)", lambda a: a.repeat(2, 3), X)
    case("a:repeat_(2, 1, 2)", lambda a: a.repeat(2, 1, 2), X)
    case("a:repeat_({2, 2, 2, 2, 2})", lambda a: a.repeat(2, 2, 2, 2, 2), CUBE[:1, :2, :2].contiguous())
    case("a:tile(2)", lambda a: a.tile(2), X)
    case("a:tile({3, 1})", lambda a: a.tile((3, 1)), X)
    case("a:repeat_interleave(2)", lambda a: a.repeat_interleave(2), X)
    case("a:repeat_interleave(3, 2)", lambda a: a.repeat_interleave(3, 1), X)
    case("a:repeat_interleave(b, 1)", lambda a, r: a.repeat_interleave(r, 0), X, torch.tensor([2, 0, 3]))
    for k in (-2, -1, 0, 1, 3):
        case("a:tril(%d)" % k, lambda a: a.tril(k), X)
        case("a:triu(%d)" % k, lambda a: a.triu(k), X)
        case("a:diag(%d)" % k, lambda a: a.diag(k), X)
        case("a:diag(%d)" % k, lambda a: a.diag(k), d([1.0, 2.0, 3.0]))
    case("a:tril()", torch.tril, CUBE)
    case("a:triu(1)", lambda a: a.triu(1), torch.ones(3, 3, dtype=B))
    case("a:trace()", torch.trace, X[:, :3].contiguous())
    for how in ("ij", "xy"):
        case("gru.div(table.unpack(gru.meshgrid({a, b}, {indexing = \"%s\"})))" % how,
             lambda a, b: torch.div(*torch.meshgrid(a, b, indexing=how)), d([1.0, 2.0]), d([3.0, 4.0, 5.0]))


def positions():
    case("a:take(b)", position(torch.take), X, ids([[0, 5], [11, 5]]))
    case("a:index_fill(1, b, 7)", position(lambda a, i: a.index_fill(0, i, 7)), X, ids([2, 0]))
    case("a:index_fill(-1, b, -1)", position(lambda a, i: a.index_fill(-1, i, -1)), CUBE, ids([3]))
    case("a:index_copy(2, b, c)", position(lambda a, i, s: a.index_copy(1, i, s)), X, ids([3, 1]),
         d([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    case("a:scatter(2, b, 9)", position(lambda a, i: a.scatter(1, i, 9)), X, ids([[0, 3], [1, 2]]))
    case("a:masked_select(b)", torch.masked_select, X, X > 1)
    case("a:masked_select(b)", torch.masked_select, X, torch.tensor([True, False, True, True]))
    case("a:masked_scatter(b, c)", lambda a, m, s: a.masked_scatter(m, s), X, X > 1,
         torch.arange(12, dtype=D) / 2)
    case("a:nonzero() - 1", torch.nonzero, SPECIAL, grad=False)
    case("a:nonzero() - 1", torch.nonzero, torch.tensor([[True, False], [True, True]]))
    case("a:nonzero() - 1", torch.nonzero, torch.tensor(5))
    case("a:nonzero() - 1", torch.nonzero, torch.zeros(2, 0))
    case("gru.where(a)[2] - 1", lambda a: torch.where(a)[1], X > 1)
    case("a[b]", lambda a, m: a[m], X, torch.tensor([True, False, True]))
    case("a[{{}, b}]", position(lambda a, i: a[:, i]), X, ids([3, 0]))
    case("gru.unique(a)", lambda a: torch.unique(a), torch.tensor([3, 1, 3, -2, 1], dtype=L))
    case("gru.bincount(a + 1)", lambda a: torch.bincount(a), torch.tensor([0, 1, 1, 4], dtype=L))


def pair(f):
    """f of two tensors of ids that are written + 1 for Lua."""
    return lambda a, i, j: f(a, i - 1, j - 1)


def assigned(f):
    """What f leaves of a copy of its first argument."""
    def g(a, *rest):
        y = a * 1
        f(y, *rest)
        return y
    return g


def put(key):
    """A Lua function that assigns by a key and returns what it wrote to."""
    return "(function(y) y[{%s}] = %%s; return y end)(%%s)" % key


def indexing():
    rows, columns, table = ids([2, 0, 2]), ids([3, 1, 3]), ids([[0, 1], [2, 1]])
    case("a[{b, c}]", pair(lambda a, i, j: a[i, j]), X, rows, columns)
    case("a[{b, c}]", pair(lambda a, i, j: a[i, j]), X, ids([[2], [0]]), columns)
    case("a[{b, c}]", pair(lambda a, i, j: a[i, j]), X, ids([1]), ids([[0, 3], [1, 1]]))
    case("a[{b, c}]", pair(lambda a, i, j: a[i, j]), X, torch.tensor(2), columns)
    case("a[{b, c}]", pair(lambda a, i, j: a[i, j]), X, ids([]).long(), ids([]).long())
    # neighbours stay where they were, ids parted by a range go to the front
    case("a[{b, c}]", pair(lambda a, i, j: a[i, j]), CUBE, ids([1, 0, 1]), ids([2, 0, 2]))
    case("a[{{}, b, c}]", pair(lambda a, i, j: a[:, i, j]), CUBE, ids([2, 0, 2]), columns)
    case("a[{{}, b, c}]", pair(lambda a, i, j: a[:, i, j]), CUBE, table, ids([3, 0]))
    case("a[{b, {}, c}]", pair(lambda a, i, j: a[i, :, j]), CUBE, ids([1, 0, 1]), columns)
    case("a[{b, {2, 3}, c}]", pair(lambda a, i, j: a[i, 1:3, j]), CUBE, ids([1, 0, 1]), columns)
    case("a[{b, {1, 3, 2}, c}]", pair(lambda a, i, j: a[i, 0:3:2, j]), CUBE, ids([[0, 1], [1, 1]]), table)
    case("a[{1, b, c}]", pair(lambda a, i, j: a[0, i, j]), CUBE, table, table + 1)
    case("a[{b, 2, c}]", pair(lambda a, i, j: a[i][:, 1][torch.arange(3), j]), CUBE, ids([1, 0, 1]), columns)
    case("a:transpose(1, 3)[{b, c}]", pair(lambda a, i, j: a.transpose(0, 2)[i, j]), CUBE, columns, ids([2, 0, 2]))
    case("a[{{}, b}]", position(lambda a, i: a[:, i]), CUBE, table)
    case("a[{{}, {}, b}]", position(lambda a, i: a[..., i]), CUBE, table)
    case("a[{{1, 1}, b}]", position(lambda a, i: a[:1, i]), CUBE, torch.tensor(1))
    # masks count as the ids of their true elements
    case("a[{{}, b}]", lambda a, m: a[:, m], CUBE, CUBE[0] > 0)
    case("a[{b, c}]", lambda a, m, j: a[m, j - 1], X, torch.tensor([True, False, True]), ids([3, 1]))
    case("a[{b, {}, c}]", lambda a, m, j: a[m, :, j - 1], CUBE, torch.tensor([True, True]), ids([3, 1]))
    case("a[{b, c}]", lambda a, m, j: a[m, j - 1], CUBE, CUBE[:, :, 0] > 0, ids([2]))
    case("a[{1, b, {2, 4}}]", lambda a, m: a[0, m, 1:4], CUBE, torch.tensor([True, False, True]))
    # assignment: of one place the last value stays
    one, two = ids([2, 0, 1]), ids([3, 1, 3])
    case(put("b, c") % ("7", "a * 1"), pair(assigned(lambda y, i, j: y.__setitem__((i, j), 7))), X, one, two)
    value = d([1.5, -2.5, 3.5])
    case(put("b, c") % ("a", "gru.zeros(3, 4, {dtype = \"float64\"})"),
         pair(lambda a, i, j: torch.zeros(3, 4, dtype=D).index_put((i, j), a)), value, one, two)
    case(put("{}, b, c") % ("gru.tensor({5.0, 6.0, 7.0})", "a * 1"),
         pair(assigned(lambda y, i, j: y.__setitem__((slice(None), i, j), d([5.0, 6.0, 7.0])))), CUBE, one, two)
    case(put("b, {}, c") % ("gru.tensor({{5.0}, {6.0}})", "a * 1"),
         pair(assigned(lambda y, i, j: y.__setitem__((i, slice(None), j), d([[5.0], [6.0]])))), CUBE, ids([1, 0]),
         ids([3, 0]))
    case(put("1, b, c") % ("0", "a * 1"), pair(assigned(lambda y, i, j: y.__setitem__((0, i, j), 0))), CUBE, one, two)
    case(put("{1, 2}, b") % ("gru.tensor({{9.0, 8.0}, {7.0, 6.0}})", "a * 1"),
         lambda a, i: assigned(lambda y: y[0:2].__setitem__((slice(None), i - 1), d([[9.0, 8.0], [7.0, 6.0]])))(a),
         X, ids([3, 0]))
    case(put("{}, b") % ("-1", "a * 1"), lambda a, m: assigned(lambda y: y.__setitem__((slice(None), m), -1))(a),
         CUBE, CUBE[0] > 0)
    case("(function(y) y[b] = c; return y end)(a * 1)",
         lambda a, m, v: assigned(lambda y: y.__setitem__(m, v))(a), X, torch.tensor([True, False, True]),
         torch.arange(8, dtype=D).reshape(2, 4))
    case("(function(y) y[b] = c; return y end)(a * 1)",
         lambda a, m, v: assigned(lambda y: y.__setitem__(m, v))(a), X, X > 1, torch.arange(6, dtype=D)[:int((X > 1).sum())])


def combining():
    one, two, hits = ids([2, 0, 2]), ids([3, 1, 3]), d([1.0, 2.0, 4.0])
    case("a:index_put({b, c}, gru.tensor {1.0, 2.0, 4.0}, true)",
         pair(lambda a, i, j: a.index_put((i, j), hits, accumulate=True)), X, one, two)
    case("gru.zeros(3, 4, {dtype = \"float64\"}):index_put_({b, c}, a, true)",
         pair(lambda a, i, j: torch.zeros(3, 4, dtype=D).index_put((i, j), a, accumulate=True)), hits, one, two)
    case("a:index_put({{}, b}, 5)", lambda a, i: a.clone().index_fill_(1, i - 1, 5), X, ids([3, 0]))
    for k in (-1, 0, 2):
        case("a:diagonal(%d)" % k, lambda a: a.diagonal(k), X)
        case("a:diagonal(%d, 1, 3)" % k, lambda a: a.diagonal(k, 0, 2), CUBE)
        case("a:diagonal(%d, 3, 2)" % k, lambda a: a.diagonal(k, 2, 1), CUBE)
        case("gru.tril_indices(3, 4, %d) - 1 + a:long()" % k,
             lambda a: torch.tril_indices(3, 4, k) + a.long(), torch.zeros(1))
        case("gru.triu_indices(4, 3, %d) - 1 + a:long()" % k,
             lambda a: torch.triu_indices(4, 3, k) + a.long(), torch.zeros(1))
    case("a:diff()", torch.diff, X)
    case("a:diff(2, 1)", lambda a: a.diff(n=2, dim=0), X)
    case("a:diff(3, 1)", lambda a: a.diff(n=3, dim=0), X)
    case("a:diff()", torch.diff, torch.tensor([True, True, False]))
    case("gru.hstack({a, b})", lambda a, b: torch.hstack((a, b)), X, X[:, :2].contiguous())
    case("gru.hstack({a, b})", lambda a, b: torch.hstack((a, b)), d([1.0, 2.0]), d([3.0]))
    case("gru.vstack({a, b})", lambda a, b: torch.vstack((a, b)), X, d([1.0, 2.0, 3.0, 4.0]))
    case("gru.mul(table.unpack(gru.broadcast_tensors({a, b})))", lambda a, b: torch.mul(*torch.broadcast_tensors(a, b)),
         d([1.0, 2.0]), d([[3.0], [4.0], [5.0]]))
    case("gru.max(a, b)", torch.maximum, X, X.flip(0).contiguous() + 0.125)
    case("a:min(b)", torch.minimum, X, X.flip(0).contiguous() + 0.125)
    case("a:clamp_min(1)", lambda a: a.clamp_min(1), X)
    case("a:clamp_max(1)", lambda a: a.clamp_max(1), X)
    case("gru.logaddexp(a, b)", torch.logaddexp, d([1.0, -800.0, 2.0, 900.0]), d([[1.5, -801.0, 2.0, -900.0]]))
    case("gru.logaddexp(a, b)", torch.logaddexp, d([INF, -INF, INF, -INF, NAN]), d([INF, -INF, 1.0, 2.0, 0.0]),
         grad=False)
    case("a:nan_to_num()", torch.nan_to_num, SPECIAL)
    case("a:nan_to_num()", torch.nan_to_num, SPECIAL.to(S))
    case("a:nan_to_num({nan = 7, posinf = 8, neginf = 9})", lambda a: torch.nan_to_num(a, 7, 8, 9), SPECIAL)


def arithmetic():
    case("a:tan()", torch.tan, d([-3.0, -1.25, -0.5, 0.0, 0.5, 1.25, 2.0]))
    case("a:tan()", torch.tan, d([0.0, -0.0, 1e-30, INF, NAN]), grad=False)
    case("a:log2()", torch.log2, d([0.5, 1.0, 3.0]))
    case("a:log10()", torch.log10, d([0.5, 1.0, 3.0]))
    t = torch.arange(12, dtype=D).reshape(2, 2, 3) / 4 - 1
    u = t.transpose(1, 2).contiguous() + 0.5
    case("a:baddbmm(b, c)", torch.baddbmm, d([[1.0, 2.0], [3.0, 4.0]]), t, u)
    case("a:baddbmm(b, c, {beta = 0.5, alpha = 2})", lambda a, b, c: torch.baddbmm(a, b, c, beta=0.5, alpha=2),
         d([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [2.0, -1.0]]]), t, u)
    case("a:addmv(b, c)", torch.addmv, d([1.0, 2.0]), t[0].clone(), d([1.0, -1.0, 2.0]))
    case("a:var(2, {unbiased = false})", lambda a: a.var(1, unbiased=False), X)
    case("a:std({1, 3}, {keepdim = true})", lambda a: a.std((0, 2), keepdim=True), CUBE)
    case("a:std(1)", lambda a: a.std(0), d([[1.0, 2.0], [1.0, 5.0]]))
    case("a:var()", torch.var, d([3.0]), grad=False)
    case("a:std(1, {correction = 0})", lambda a: a.std(0, unbiased=False), X)
    for p in (0, 1, 1.5, 2, 3, INF, -INF):
        lua = "math.huge" if p == INF else "-math.huge" if p == -INF else repr(p)
        case("a:norm(%s, 2)" % lua, lambda a: a.norm(p, 1), X, grad=p != 0)
        if p not in (INF, -INF):
            case("a:norm(%s)" % lua, lambda a: a.norm(p), d([0.0, 3.0, -4.0]), grad=p != 0)
    case("a:norm()", torch.norm, d([0.0, 0.0]))
    case("a:norm(2, {1, 3})", lambda a: a.norm(2, (0, 2)), CUBE)
    case("a:logsumexp({1, 3})", lambda a: a.logsumexp((0, 2)), CUBE)
    case("a:nansum(2)", lambda a: a.nansum(1), SPECIAL[1:])
    case("a:count_nonzero()", torch.count_nonzero, SPECIAL, grad=False)
    x, y = d([1.0, INF, NAN, 1.0, -INF]), d([1.0 + 1e-9, INF, NAN, 1.1, INF])
    case("a:isclose(b)", torch.isclose, x, y, grad=False)
    case("a:isclose(b, 0.2, 0, true)", lambda a, b: torch.isclose(a, b, 0.2, 0, True), x, y, grad=False)


def creation():
    lines = []

    def make(lua, t):
        lines.append("{%s, %s}" % (golden.text(lua), golden.tensor(t)))
    make("gru.arange(5)", torch.arange(5))
    make("gru.arange(7, 0, -3)", torch.arange(7, 0, -3))
    make("gru.arange(0, 1, 0.1)", torch.arange(0, 1, 0.1))
    make("gru.arange(-1, 1, 0.3, {dtype = \"float64\"})", torch.arange(-1, 1, 0.3, dtype=D))
    make("gru.arange(0.5, 3.5, {dtype = \"int64\"})", torch.arange(0.5, 3.5, dtype=L))
    make("gru.linspace(-1, 2, 7)", torch.linspace(-1, 2, 7))
    make("gru.linspace(3, -10, 4, {dtype = \"float64\"})", torch.linspace(3, -10, 4, dtype=D))
    make("gru.logspace(-1, 2, 4, {dtype = \"float64\"})", torch.logspace(-1, 2, 4, dtype=D))
    make("gru.logspace(0, 3, 4, 2)", torch.logspace(0, 3, 4, 2))
    make("gru.eye(2, 3)", torch.eye(2, 3))
    make("gru.eye(2, {dtype = \"int64\"})", torch.eye(2, dtype=L))
    return lines


def lua_spelling(s):
    for old, new in (("True", "true"), ("False", "false"), ("dtype=torch.", "dtype=")):
        s = s.replace(old, new)
    return re.sub(r"size=\(([\d, ]*)\)", r"size=[\1]", s)


def prints():
    """(Lua expression of numbers, dtype, shape) and the text."""
    lines = []

    def show(t):
        lines.append("{%s, %s}" % (golden.tensor(t), golden.text(lua_spelling(str(t))).replace("\n", "\\n")))
    g = torch.Generator().manual_seed(1)
    for t in (torch.tensor(3.5), torch.tensor(3.0), torch.tensor(-7), torch.tensor(True), torch.tensor(NAN),
              torch.tensor(1e10), torch.tensor(2.5, dtype=D), torch.empty(0), torch.empty(0, dtype=L),
              torch.empty(2, 0, 3), torch.empty(3, 0, dtype=D), torch.tensor([1.0, 2.0, 3.0]),
              torch.tensor([1.5, -2.25, 1000.0]), torch.tensor([1.5, -2.25, 1501.0]), torch.tensor([1e-5, 1.0]),
              torch.tensor([1.0, 1001.0]), torch.tensor([1.0, 1e9]), torch.tensor([123456.0, 123457.0]),
              torch.tensor([0.0, 0.0]), torch.tensor([NAN, INF, -INF]), torch.tensor([1.0, NAN, -INF]),
              torch.tensor([0.5, INF, -3.0]), torch.tensor([1e-5, INF, NAN]), torch.tensor([1e-38, 1e38]),
              torch.tensor([-0.0, 1.0]), torch.tensor([1, -20, 300]), torch.tensor([2**63 - 1, -2**63]),
              torch.tensor([[True, False], [False, True]]), torch.tensor([[1.0, 2.5], [-3.0, 4.0]], dtype=D),
              torch.randn(3, 4, generator=g), torch.randn(2, 3, 4, generator=g), torch.randn(2, 2, 2, 2, generator=g),
              torch.randn(25, generator=g), torch.randn(2, 17, generator=g), torch.arange(60), torch.arange(1000),
              torch.arange(1001), torch.arange(1001.0), torch.randn(1001, generator=g), torch.arange(1200).reshape(30, 40),
              torch.randn(40, 30, generator=g), torch.randn(7, 200, generator=g), torch.randn(200, 7, generator=g),
              torch.randn(3, 400, generator=g), torch.randn(10, 11, 12, generator=g), torch.randn(2, 2, 300, generator=g),
              torch.randn(7, 6, 5, 8, generator=g) * 1e5, torch.ones(1, 1, 1), torch.arange(1200) % 2 == 0,
              torch.randn(10, generator=g).to(D), torch.randn(9, generator=g).to(D) * 1e6,
              torch.randn(3, 33, generator=g).to(D), torch.full((2, 6), 12345.678), torch.full((13,), 0.1, dtype=D),
              torch.full((7,), 12345678.0), torch.full((3,), 1234567890.0)):
        show(t)
    return lines


def random():
    lines = []

    def draw(seed, lua, f):
        torch.manual_seed(seed)
        lines.append("{%d, %s, %s}" % (seed, golden.text(lua), golden.tensor(f())))
    w = torch.tensor([0.1, 0.5, 0.0, 2.0, 1.0])
    text = "gru.tensor({0.1, 0.5, 0.0, 2.0, 1.0})"
    draw(1, "%s:multinomial(1)" % text, lambda: w.multinomial(1) + 1)
    draw(2, "%s:multinomial(4)" % text, lambda: w.multinomial(4) + 1)
    draw(3, "gru.stack({%s, %s}):multinomial(3)" % (text, text), lambda: torch.stack((w, w)).multinomial(3) + 1)
    draw(4, "%s:multinomial(20, true)" % text, lambda: w.multinomial(20, True) + 1)
    draw(5, "gru.bernoulli(gru.full({12}, 0.3))", lambda: torch.bernoulli(torch.full((12,), 0.3)))
    return lines


def body():
    golden.cases.clear()
    for part in (scans, ordering, rearranging, positions, indexing, combining, arithmetic):
        part()
    parts = {"cases": golden.cases, "creation": creation(), "prints": prints(), "random": random()}
    out = []
    for name, lines in parts.items():
        wrap = (lambda s: s) if name == "prints" else golden.wrap
        out.append("  %s = {\n%s\n  },\n" % (name, "\n".join(wrap("  " + c + ",") for c in lines)))
    return "return {\n" + "".join(out) + "}\n"


def main():
    path, new = os.path.join(HERE, "surface.lua"), body()
    if "--check" in sys.argv:
        with open(path, encoding="utf-8") as f:
            why = golden.agree(f.read().split("\n", 1)[1], new)
        print("surface.lua: %s" % (why or "agrees"))
        return 1 if why else 0
    with open(path, "w", encoding="utf-8") as f:
        f.write("-- Made by tests/golden/surface.py with PyTorch %s: not to be edited.\n%s" % (torch.__version__, new))
    return 0


if __name__ == "__main__":
    sys.exit(main())
