-- The life of graphs: deep ones, and that nothing stays behind.
local gru = require "gru"
local core = require "gru.core"
local describe = require("tests.support.devices").describe

local function collect()
  collectgarbage()
  collectgarbage()
end

local function live()
  collect()
  return gru.memory().live
end

describe("a graph of 200000 nodes", function()
  local DEPTH = 200000

  local function chain(x)
    local y = x
    for _ = 1, DEPTH do y = y + 1 end
    return y
  end

  it("is released without recursion", function()
    local x = gru.ones(1, {requires_grad = true})
    local before = live()
    local y = chain(x)
    assert.is_true(y.requires_grad)
    y = nil -- luacheck: ignore
    assert.equal(before, live())
  end)

  it("is walked without recursion", function()
    local x = gru.ones(1, {requires_grad = true})
    local y = chain(x)
    y:backward()
    assert.equal(1, x.grad:item())
    assert.equal(DEPTH + 1, y:item())
  end)

  it("is released from its middle", function()
    local x = gru.ones(1, {requires_grad = true})
    local y = chain(x)
    local z = y * 2
    y = nil -- luacheck: ignore
    collect()
    z:backward()
    assert.equal(2, x.grad:item())
  end)
end)

describe("memory", function()
  -- Bytes that are live after each of many rounds are the same.
  local function steady(round)
    for _ = 1, 3 do round() end
    local before = live()
    for _ = 1, 200 do round() end
    assert.equal(before, live())
  end

  local w = gru.randn(8, 8, {requires_grad = true})
  local x = gru.randn(4, 8)

  it("comes back after forward and backward", function()
    steady(function()
      local h = x
      for _ = 1, 5 do h = h:matmul(w):tanh() end
      h:sum():backward()
    end)
  end)

  it("comes back where backward is never called", function()
    steady(function()
      local h = x
      for _ = 1, 5 do h = h:matmul(w):sigmoid() end
    end)
  end)

  it("comes back after retained graphs, retained gradients and hooks", function()
    steady(function()
      local h = x:matmul(w)
      h:retain_grad()
      h:register_hook(function(g) return g * 2 end)
      local loss = (h * h):sum()
      loss:backward({retain_graph = true})
      loss:backward({retain_graph = true})
    end)
  end)

  it("comes back after create_graph", function()
    steady(function()
      local loss = x:matmul(w):tanh():sum()
      local g = core.grad({loss}, {w}, nil, {create_graph = true})[1]
      g:square():sum():backward()
    end)
  end)

  it("comes back after errors", function()
    steady(function()
      local h = x:matmul(w)
      local loss = (h * h):sum()
      h:register_hook(function() error("x") end)
      pcall(loss.backward, loss)
      pcall(gru.matmul, x, x)
      pcall(gru.zeros, 1 << 45)
      pcall(x.index_select, x, 1, gru.tensor({9}))
      local y = x * 1
      local z = (y * y * w[1]:sum()):sum()
      y:add_(1)
      pcall(z.backward, z)
      pcall(core.grad, {x:matmul(w):sum()}, {gru.ones(1, {requires_grad = true})})
    end)
  end)

  it("comes back after changes in place", function()
    steady(function()
      local y = x:matmul(w)
      y:mul_(2)
      y[1]:add_(1)
      y:t()[2]:mul_(3)
      y:sum():backward()
    end)
  end)

  it("comes back where the graph saved what then took over its history", function()
    local v = gru.ones(100, {requires_grad = true})
    steady(function()
      local a, b, c = gru.ones(100), gru.ones(100), gru.ones(100)
      a:mul_(v)
      b:copy_(b:clamp(v, 3))
      c:clamp_(v * 2, v)
    end)
  end)

  it("comes back after losses, gathers and one-hot products", function()
    local ids = gru.tensor({1, 3, 2, 8})
    steady(function()
      local logits = gru.one_hot(ids, 8):matmul(w) + gru.embedding(w, ids) + w:gather(1, ids:unsqueeze(2))
      core.cross_entropy(logits, ids, nil, nil, "mean", 0.1):backward()
    end)
  end)

  it("comes back from coroutines that died or wait", function()
    steady(function()
      coroutine.wrap(function()
        local h = x:matmul(w)
        coroutine.yield(h)
      end)()
      coroutine.wrap(function() x:matmul(w):sum():backward() end)()
    end)
  end)

  it("is not held by the hooks of a graph that has run", function()
    steady(function()
      local y = x:matmul(w)
      y:register_hook(function(g) return g * y end)
      y:sum():backward()
    end)
  end)

  it("is not held by a leaf's hook that names the leaf, once it is removed", function()
    steady(function()
      local leaf = gru.ones(100, {requires_grad = true})
      local id = leaf:register_hook(function(g) return g * leaf end)
      leaf:sum():backward()
      leaf:remove_hook(id)
    end)
  end)

  it("is freed while a program runs that never collects", function()
    local peak = 0
    collect()
    collectgarbage("generational")
    for _ = 1, 400 do
      local big = gru.zeros(1 << 18) -- 1 MB
      big:add_(1)
      peak = math.max(peak, gru.memory().live)
    end
    collectgarbage("incremental")
    assert.is_true(peak < 256 << 20, ("live rose to %d bytes"):format(peak))
  end)

  it("is counted", function()
    local before = live()
    local a = gru.zeros(1000)
    assert.equal(before + 4000, gru.memory().live)
    local view = a:narrow(1, 1, 10):t() -- costs nothing
    assert.equal(before + 4000, gru.memory().live)
    a = nil -- luacheck: ignore
    assert.equal(before + 4000, live())
    assert.equal(10, view:numel())
    view = nil -- luacheck: ignore
    assert.equal(before, live())
    local info = gru.memory(gru.get_default_device())
    assert.is_true(info.live <= info.peak and info.live <= info.reserved and info.peak <= info.limit)
    gru.empty_cache()
    assert.is_true(gru.memory().reserved <= info.reserved)
    assert.error_matches(function() gru.memory("tpu") end, "tpu")
  end)
end)
