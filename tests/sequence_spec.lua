-- What backward does for sequences: held pairs (one product for a weight that is used at every step)
-- and selects (one gradient for a tensor that is cut into steps), and that both are but shortcuts.
local gru = require "gru"
local core = require "gru.core"
local agree = require "tests.support.agree"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"
local describe = require("tests.support.devices").describe

local T, N, I, H = 9, 4, 5, 3

local function random(seed, ...)
  local draw = new_rng(seed)
  return nd.tensor(nd.generate({...}, function() return draw(-1, 1) end), "float64")
end

local function close(a, b, tol)
  assert(agree.tensors(a, b, tol or 1e-12))
end

-- The gradient of `loss` for w, with held pairs and without: create_graph does not hold.
local function both(loss, w)
  local held = core.grad({loss()}, {w})[1]
  local plain = core.grad({loss()}, {w}, nil, {create_graph = true})[1]:detach()
  close(held, plain)
  return held
end

-- sum_t x_t^T g_t for y_t = x_t w, loss = sum y_t g_t
local function expected(x, g)
  local sum = gru.zeros(I, H, {dtype = "float64"})
  for t = 1, T do sum = sum + x[t]:t():matmul(g[t]) end
  return sum
end

describe("a weight that is used at every step", function()
  local x, g = random(1, T, N, I), random(2, T, N, H)
  local w

  before_each(function() w = random(3, I, H):requires_grad_() end)

  local function steps(product)
    local loss = 0
    for t = 1, T do loss = loss + (product(x[t]) * g[t]):sum() end
    return loss
  end

  it("gets the sum over the steps", function()
    close(both(function() return steps(function(v) return v:matmul(w) end) end, w), expected(x, g))
  end)

  it("gets it through a transpose", function()
    local v = w:detach():t():contiguous():requires_grad_()
    local dv = both(function() return steps(function(s) return s:matmul(v:t()) end) end, v)
    close(dv, expected(x, g):t():contiguous())
    local u = v:detach():requires_grad_()
    local ut = u:t() -- one transpose for all steps
    close(core.grad({steps(function(s) return s:matmul(ut) end)}, {u})[1], expected(x, g):t():contiguous())
  end)

  it("gets it where plain and transposed uses mix", function()
    local s = random(4, H, H):requires_grad_()
    local function loss()
      local h, total = random(5, N, H), 0
      for t = 1, T do
        h = (t % 2 == 0 and h:matmul(s) or h:matmul(s:t())):tanh()
        total = total + (h * g[t]):sum()
      end
      return total
    end
    both(loss, s)
  end)

  it("gets it where other uses join in", function()
    local function loss()
      local total = steps(function(v) return v:matmul(w) end)
      return total + (w * w):sum() + w:exp():sum() + w[1]:sum() + x[1][1]:matmul(w):sum()
    end
    both(loss, w)
  end)

  it("gets it where it is not a leaf", function()
    local scale = gru.tensor(2.0, {dtype = "float64", requires_grad = true})
    local function loss()
      local v = w * scale
      return steps(function(s) return s:matmul(v) end) + v:sum()
    end
    local dw = both(loss, w)
    close(dw, (expected(x, g) + 1) * 2)
    both(loss, scale)
  end)

  it("gets it from rows, vectors and batches", function()
    local function loss()
      local total = 0
      for t = 1, T do
        total = total + (x[t][1]:matmul(w) * g[t][1]):sum() + (x[t]:narrow(1, 1, 2):matmul(w)):sum()
      end
      return total + (x:matmul(w) * g):sum()
    end
    both(loss, w)
  end)

  it("gets it where the steps are of different size", function()
    local function loss()
      local total = 0
      for t = 1, T do total = total + x[t]:narrow(1, 1, 1 + t % N):matmul(w):square():sum() end
      return total
    end
    both(loss, w)
  end)

  it("shows hooks its whole gradient, once", function()
    local seen = {}
    w:register_hook(function(d)
      seen[#seen + 1] = d
      return d * 2
    end)
    steps(function(v) return v:matmul(w) end):backward()
    assert.equal(1, #seen)
    close(seen[1], expected(x, g))
    close(w.grad, expected(x, g) * 2)
  end)

  it("shows the hooks of a transpose its gradient", function()
    local v = w:detach():t():contiguous():requires_grad_()
    local vt, seen = v:t(), {}
    vt:register_hook(function(d)
      seen[#seen + 1] = d:clone()
      return d * 3
    end)
    steps(function(s) return s:matmul(vt) end):backward()
    assert.equal(1, #seen)
    close(seen[1], expected(x, g))
    close(v.grad, (expected(x, g) * 3):t():contiguous())
  end)

  it("keeps the gradient of a transpose that is to be retained", function()
    local v = w:detach():t():contiguous():requires_grad_()
    local vt = v:t()
    vt:retain_grad()
    steps(function(s) return s:matmul(vt) end):backward()
    close(vt.grad:contiguous(), expected(x, g))
    close(v.grad, expected(x, g):t():contiguous())
  end)

  it("gives a transpose its gradient where that is asked for", function()
    local v = w:detach():t():contiguous():requires_grad_()
    local vt = v:t()
    local function loss() return steps(function(s) return s:matmul(vt) end) end
    local retain = {retain_graph = true}
    close(core.grad({loss()}, {vt}, nil, retain)[1]:contiguous(), expected(x, g))
    close(core.grad({loss() + vt:sum()}, {vt}, nil, retain)[1]:contiguous(), expected(x, g) + 1)
    local dvt, dv = table.unpack(core.grad({loss()}, {vt, v}))
    close(dvt:contiguous(), expected(x, g))
    close(dv, expected(x, g):t():contiguous())
    local ut = w:detach():requires_grad_():t()
    local du = core.grad({steps(function(s) return s:matmul(ut:t()) end)}, {ut})[1]
    close(du:t():contiguous(), expected(x, g))
  end)

  it("gets it with hooks and retained gradients between the steps", function()
    local h = random(6, N, H)
    local s = random(7, H, H):requires_grad_()
    local n, kept = 0, {}
    local total = 0
    for t = 1, T do
      h = h:matmul(s):tanh()
      h:register_hook(function(d)
        n = n + 1
        return d * 0.5
      end)
      h:retain_grad()
      kept[t] = h
      total = total + (h * g[t]):sum()
    end
    total:backward({retain_graph = true})
    assert.equal(T, n)
    for t = 1, T do assert.is_not_nil(kept[t].grad) end
    local held = s.grad:clone()
    close(held, core.grad({total}, {s}, nil, {create_graph = true})[1]:detach())
  end)

  it("accumulates over backwards, retained ones too", function()
    local loss = steps(function(v) return v:matmul(w) end)
    loss:backward({retain_graph = true})
    loss:backward()
    close(w.grad, expected(x, g) * 2)
  end)

  it("notices that what a step saved was changed", function()
    local v = random(8, N, I)
    local loss = v:matmul(w):sum() + x[1]:matmul(w):sum()
    v:add_(1)
    assert.error_matches(function() loss:backward() end, "changed in place")
    -- a failed backward leaves nothing behind
    w.grad = nil
    steps(function(s) return s:matmul(w) end):backward()
    close(w.grad, expected(x, g))
  end)

  it("notices a change that comes between its steps", function()
    local v, h = random(8, N, I), random(6, N, I):requires_grad_()
    local y = h * 1
    y:register_hook(function() v:add_(1) end)
    local loss = y:matmul(w):sum() + v:matmul(w):sum() -- the second product's turn comes first
    assert.error_matches(function() loss:backward() end, "changed in place")
    assert.is_nil(w.grad)
  end)

  it("gets nothing of a backward that a hook stopped", function()
    local h = random(6, N, I):requires_grad_()
    local y = h * 1
    y:register_hook(function() error("stop") end)
    assert.has_error(function() (y:matmul(w):sum() + x[1]:matmul(w):sum()):backward() end)
    assert.is_nil(w.grad)
    assert.is_nil(h.grad)
  end)

  it("is the same in float32", function()
    local xs, gs, ws = x:float(), g:float(), w:detach():float():requires_grad_()
    local loss = 0
    for t = 1, T do loss = loss + (xs[t]:matmul(ws) * gs[t]):sum() end
    loss:backward()
    assert(agree.values(ws.grad, nd.of(expected(x, g)), 1e-5))
  end)

  it("gets it past the limit of held memory", function()
    local wide = gru.ones(2, 1024, {requires_grad = true})
    local big = gru.ones(4096, 2)
    local loss = 0
    for _ = 1, 6 do loss = loss + big:matmul(wide):sum() end -- 16 MB each
    loss:backward()
    assert.is_true(wide.grad:eq(6 * 4096):all():item())
  end)

  it("takes dtypes that differ", function()
    local xs = x:float()
    local loss = 0
    for t = 1, T do loss = loss + (xs[t]:matmul(w) * g[t]):sum() end
    loss:backward()
    assert.equal("float64", w.grad.dtype)
    close(w.grad, expected(xs:double(), g))
  end)

  it("gets it in the gradient of two weights that share steps", function()
    local u = random(9, H, H):requires_grad_()
    local function loss()
      local h, total = random(5, N, H), 0
      for t = 1, T do
        h = (x[t]:matmul(w) + h:matmul(u)):sigmoid()
        total = total + (h * g[t]):sum()
      end
      return total
    end
    both(loss, w)
    both(loss, u)
    local held = core.grad({loss()}, {w, u})
    local plain = core.grad({loss()}, {w, u}, nil, {create_graph = true})
    close(held[1], plain[1]:detach())
    close(held[2], plain[2]:detach())
  end)
end)

describe("a tensor that is cut into steps", function()
  local function compare(f)
    local x = random(10, T, N, I):requires_grad_()
    local parts = core.grad({f(x)}, {x})[1]
    local plain = core.grad({f(x)}, {x}, nil, {create_graph = true})[1]:detach()
    close(parts, plain)
    local y = x:detach():requires_grad_()
    f(y):backward()
    close(y.grad, parts)
    return parts
  end

  it("gets the gradients of its rows", function()
    local dx = compare(function(x)
      local total = 0
      for t = 1, T do total = total + x[t]:sum() * t end
      return total
    end)
    for t = 1, T do assert.is_true(dx[t]:eq(t):all():item()) end
  end)

  it("gets zeros where no step was used", function()
    local dx = compare(function(x) return x[2]:sum() + x[-1]:square():sum() end)
    assert.is_true(dx[1]:eq(0):all():item())
    assert.is_true(dx[3]:eq(0):all():item())
    assert.is_true(dx[2]:eq(1):all():item())
  end)

  it("gets overlapping and repeated parts", function()
    compare(function(x)
      local total = x[1]:sum() + x[1]:exp():sum()
      for t = 1, T - 1 do total = total + x:narrow(1, t, 2):square():sum() end
      return total + x[{{1, T, 3}}]:sin():sum() + x:select(2, 2):cos():sum() + x[{{}, {2, 3}, 1}]:exp():sum()
    end)
  end)

  it("gets them where whole uses come first, last and between", function()
    compare(function(x)
      local a = (x * x):sum()
      local b = x[1]:exp():sum()
      local c = x:sum()
      local d = x[2]:exp():sum() + x:transpose(1, 2):sin():sum()
      return a + b + c + d
    end)
  end)

  it("gets them where it is not a leaf, and is used whole too", function()
    compare(function(x)
      local y = x:tanh()
      local total = y:sum()
      for t = 1, T do total = total + y[t]:square():sum() end
      local z = y * 1 -- a gradient that two consumers may share
      return total + z[3]:exp():sum() + z:sum() + (y + z):square():sum()
    end)
  end)

  it("does not write into a gradient that others see", function()
    local x = random(11, 3, 2):requires_grad_()
    local seen
    local y = x * 1
    y:register_hook(function(g)
      seen = g
      return nil
    end)
    local weights = random(12, 3, 2)
    local kept = weights:clone()
    local loss = {y, y[1]:sum(), y[2]:sum()}
    core.grad(loss, {x}, {weights, false, false})
    close(weights, kept)
    local want = kept:clone()
    want[1]:add_(1)
    want[2]:add_(1)
    close(seen, want)
  end)

  it("gets second gradients", function()
    local gradcheck = require "tests.support.gradcheck"
    local draw = new_rng(13)
    assert(gradcheck.second(function(x)
      local h = x[1]:exp()
      for t = 2, 3 do h = h * x[t]:sin() + x:narrow(1, t - 1, 2):sum(1) end
      return h
    end, {nd.generate({3, 2}, function() return draw(0.2, 1) end)}))
  end)

  it("gets them with a recurrence over it and a shared weight", function()
    local w = random(14, I, H):requires_grad_()
    local u = random(15, H, H):requires_grad_()
    local x = random(16, T, N, I):requires_grad_()
    local function loss()
      local h, out = gru.zeros(N, H, {dtype = "float64"}), {}
      for t = 1, T do
        h = (x[t]:matmul(w) + h:matmul(u)):tanh()
        out[t] = h
      end
      local all = gru.stack(out, 1)
      return (all * all):sum() + all[-1]:sum() + all:narrow(1, 2, 3):exp():sum()
    end
    local fast = core.grad({loss()}, {x, w, u})
    local plain = core.grad({loss()}, {x, w, u}, nil, {create_graph = true})
    for k = 1, 3 do close(fast[k], plain[k]:detach()) end
  end)
end)
