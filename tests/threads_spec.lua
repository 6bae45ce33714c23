-- The same bits for any number of threads.
local gru = require "gru"
local core = require "gru.core"
local new_rng = require "tests.support.rng"

local COUNTS = {1, 2, 4, 3}

-- Every work gives tensors; what they hold must not depend on the threads.
local works = {}

local function random(seed, ...)
  gru.manual_seed(seed)
  return gru.randn(...)
end

local function ids(seed, n, top)
  local draw, list = new_rng(seed), {}
  for i = 1, n do list[i] = draw(top) end
  return gru.tensor(list)
end

for _, shape in ipairs {
  {32, 256, 256}, {1120, 1027, 256}, {1, 1027, 256}, {256, 35, 1027}, {35, 1120, 35},
} do
  local m, k, n = table.unpack(shape)
  works[("matmul %d %d %d"):format(m, k, n)] = function()
    local a, b = random(1, m, k), random(2, k, n)
    return a:matmul(b), random(3, k, m):t():matmul(b), a:matmul(random(4, n, k):t())
  end
end

works["matmul in batches and float64"] = function()
  local a, b = random(1, 24, 40, 33), random(2, 24, 33, 50)
  local c, d = random(3, 300, 200, {dtype = "float64"}), random(4, 200, 100, {dtype = "float64"})
  return a:matmul(b), c:matmul(d)
end

works["sums"] = function()
  local x = random(5, 700, 1300)
  return x:sum(), x:sum(1), x:sum(2), x:mean(), x:t():contiguous():t():sum(1), x:prod(2), x:max(), x:min(1),
    x:argmax(2), random(6, 1 << 20):sum(), random(6, 64, 128, 100):sum({1, 3}), x:gt(0):sum(), x:var(1)
end

works["elementwise"] = function()
  local x, y = random(5, 600, 700), random(6, 700)
  return x + y, (x * y):tanh(), x:t():exp(), x:gt(y), x:to("float64"):sigmoid(), (x:t():contiguous():t() - x),
    x:clone():add_(y), gru.where(x:gt(0), x, y)
end

works["softmax"] = function()
  local x = random(7, 1120, 1027)
  return x:softmax(2), x:log_softmax(2), x:softmax(1)
end

works["cross_entropy"] = function()
  local x = random(8, 1120, 1027):requires_grad_()
  local target = ids(9, 1120, 1027)
  local loss = core.cross_entropy(x, target, nil, nil, "mean", 0.1)
  loss:backward()
  return loss, x.grad, core.cross_entropy(x, target, nil, nil, "none", 0)
end

works["gradients of positions"] = function()
  local w = random(10, 1027, 256):requires_grad_()
  local at = ids(11, 5000, 1027)
  gru.embedding(w, at):backward(random(12, 5000, 256))
  local embedding = w.grad
  w.grad = nil
  w:index_select(2, ids(13, 400, 256)):backward(random(14, 1027, 400))
  local columns = w.grad
  local v = random(15, 500, 300):requires_grad_()
  local places = ids(16, 500 * 300, 500):reshape(500, 300)
  v:gather(1, places):backward(random(17, 500, 300))
  return embedding, columns, v.grad, v:detach():scatter_add(1, places, random(18, 500, 300)),
    v:detach():scatter(2, ids(19, 500 * 20, 300):reshape(500, 20), random(18, 500, 300))
end

works["a recurrence on one-hot steps"] = function()
  local T, N, V, H = 20, 32, 1027, 256
  local x = gru.one_hot(ids(20, T * N, V):reshape(T, N), V)
  local w, u = random(21, V, H):mul_(0.01):requires_grad_(), random(22, H, H):mul_(0.01):requires_grad_()
  local h, out = gru.zeros(N, H), {}
  for t = 1, T do
    h = (x[t]:matmul(w) + h:matmul(u)):tanh()
    out[t] = h
  end
  local loss = gru.stack(out, 1):square():mean()
  loss:backward()
  return loss, w.grad, u.grad
end

works["a matrix used at so many steps that what is held goes past 64 MB"] = function()
  local w, total = random(21, 1024, 1024):requires_grad_(), 0
  for t = 1, 90 do total = total + random(t, 128, 1024):matmul(w):square():mean() end
  total:backward()
  return w.grad
end

-- Steps, rows and hidden: packed weights, few steps, few rows of a wide layer, several looks at the abort
-- check.
for _, size in ipairs {{20, 37, 131}, {2, 37, 131}, {4, 2, 515}, {40, 32, 384}} do
  local steps, rows, hidden = table.unpack(size)
  for _, kind in ipairs {"RNN", "LSTM", "GRU", "GRU before"} do
    works[("%s over %d steps of %d rows, hidden %d"):format(kind, steps, rows, hidden)] = function()
      gru.manual_seed(24)
      local class, reset = kind:match "%u+", kind:match "before"
      local layer = gru.nn[class](9, hidden, {bidirectional = rows < 32, reset = reset})
      local output = layer(random(25, steps, rows, 9))
      output:square():sum():backward()
      local results = {output}
      for _, p in ipairs(layer:parameters()) do results[#results + 1] = p.grad end
      return table.unpack(results)
    end
  end
end

works["moves"] = function()
  local x = random(23, 300, 500, 7)
  return x:permute(3, 1, 2):contiguous(), gru.cat({x, x}, 2), gru.stack({x, x}, 4), x:to("int64"), x:gt(0)
end

describe("any number of threads", function()
  local before = gru.get_num_threads()
  after_each(function() gru.set_num_threads(before) end)

  for name, work in pairs(works) do
    it("gives the same bits: " .. name, function()
      local first
      for _, n in ipairs(COUNTS) do
        gru.set_num_threads(n)
        local results = table.pack(work())
        for i = 1, results.n do results[i] = results[i]:data() end
        first = first or results
        for i = 1, results.n do
          assert.is_true(results[i] == first[i], ("result %d differs with %d threads"):format(i, n))
        end
      end
    end)
  end

  it("can be set and asked for, within limits", function()
    gru.set_num_threads(3)
    assert.equal(3, gru.get_num_threads())
    for _, n in ipairs {0, -1, 257, 1 << 40} do
      assert.error_matches(function() gru.set_num_threads(n) end, "thread")
    end
    assert.equal(3, gru.get_num_threads())
    assert.has_error(function() gru.set_num_threads(1.5) end)
    assert.has_error(function() gru.set_num_threads("two") end)
  end)
end)
