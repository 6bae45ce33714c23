-- The one-hot layout: which ops keep it, and that nothing can tell it from a dense tensor.
local gru = require "gru"
local core = require "gru.core"
local agree = require "tests.support.agree"
local gradcheck = require "tests.support.gradcheck"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"
local describe = require("tests.support.devices").describe

local F = gru.nn.functional
local C = 6
local IDS = {{2, 6, 1, 2}, {5, 5, 3, 6}, {1, 2, 4, 4}} -- (3, 4)

local function hot() return gru.one_hot(gru.tensor(IDS), C) end

-- The same elements, dense.
local function dense() return gru.tensor(hot():totable()) end

local function random(seed, ...)
  local draw = new_rng(seed)
  return nd.tensor(nd.generate({...}, function() return draw(-1, 1) end), "float32")
end

local function same(a, b, tol) assert(agree.tensors(a, b, tol or 0)) end

describe("one_hot", function()
  it("has the classes as its last dim, in the default dtype", function()
    local x = hot()
    assert.is_true(x:is_one_hot())
    assert.same({3, 4, C}, x.shape)
    assert.equal("float32", x.dtype)
    assert.equal(3 * 4 * C, x:numel())
    local sum = x:sum(3)
    assert.is_true(sum:eq(1):all():item())
    for i, row in ipairs(IDS) do
      for j, id in ipairs(row) do assert.equal(1, hot()[{i, j, id}]:item()) end
    end
  end)

  it("refuses ids outside of 1 .. classes, naming the first", function()
    for _, case in ipairs {
      {{1, 0}, "id 0 at position 2"}, {{7, 1}, "id 7 at position 1"}, {{-1}, "id %-1"},
    } do
      assert.error_matches(function() gru.one_hot(gru.tensor(case[1]), 6) end,
        "one_hot: " .. case[2] .. ".* is outside 1 .. 6")
    end
    assert.error_matches(function() gru.one_hot(gru.tensor({1.0}), 6) end, "int64.*float32")
    assert.error_matches(function() gru.one_hot(gru.tensor({1}), 0) end, "one_hot: expected one class")
    assert.has_error(function() gru.one_hot(gru.tensor({1}), 2.5) end)
  end)

  it("copies its ids", function()
    local ids = gru.tensor({1, 2})
    local x = gru.one_hot(ids, 3)
    ids[1] = 3
    assert.same({{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}}, x:totable())
  end)

  it("costs no memory for the classes", function()
    local ids = gru.tensor(IDS)
    collectgarbage()
    collectgarbage()
    local before = gru.memory().live
    local x = gru.one_hot(ids, 100000)
    assert.is_true(gru.memory().live - before < 4096)
    assert.is_true(x:is_one_hot())
  end)
end)

-- name -> a view that keeps the layout
local kept = {
  select = function(x) return x[2] end,
  ["select of dim 2"] = function(x) return x:select(2, 3) end,
  narrow = function(x) return x:narrow(1, 2, 2) end,
  ["every second"] = function(x) return x[{{}, {1, 4, 2}}] end,
  transpose = function(x) return x:transpose(1, 2) end,
  permute = function(x) return x:permute(2, 1, 3) end,
  reshape = function(x) return x:reshape(12, C) end,
  view = function(x) return x:view(2, 6, C) end,
  flatten = function(x) return x:flatten(1, 2) end,
  unsqueeze = function(x) return x:unsqueeze(1) end,
  squeeze = function(x) return x:unsqueeze(2):squeeze(2) end,
  stack = function(x) return gru.stack({x[1], x[3], x[1]}, 1) end,
  ["stack inside"] = function(x) return gru.stack({x[1], x[3]}, 2) end,
  cat = function(x) return gru.cat({x, x:narrow(1, 1, 1)}, 1) end,
  ["cat of dim 2"] = function(x) return gru.cat({x:narrow(2, 3, 2), x}, 2) end,
  detach = function(x) return x:detach() end,
  ["one row"] = function(x) return x[{2, 3}] end,
  ["an empty part"] = function(x) return x:narrow(1, 1, 0) end,
  ["a chain"] = function(x) return x:transpose(1, 2):narrow(1, 2, 3):select(2, 1) end,
}

describe("the layout", function()
  for name, view in pairs(kept) do
    it("is kept by " .. name .. ", whose elements are right", function()
      local x = hot()
      local v = view(x)
      assert.is_true(v:is_one_hot())
      assert.is_true(x:is_one_hot())
      same(v, view(dense()))
      assert.is_not_nil(v.shape[1])
    end)

    it("gives the product of " .. name .. " as a dense tensor does", function()
      local w = random(3, C, 5)
      local v = view(hot())
      local y = v:matmul(w)
      assert.is_true(v:is_one_hot(), "a product leaves the layout alone")
      same(y, view(dense()):matmul(w))
      same(v:matmul(w:t():contiguous():t()), y)
      same(v:matmul(random(3, C, 10):narrow(2, 2, 5)), view(dense()):matmul(random(3, C, 10):narrow(2, 2, 5)))
    end)
  end

  it("is left by what does not know it, and views stay valid", function()
    for name, op in pairs {
      add = function(x) return x + 1 end,
      exp = function(x) return x:exp() end,
      sum = function(x) return x:sum(1) end,
      ["the class dim"] = function(x) return x:transpose(1, 3) end,
      ["a class"] = function(x) return x:select(3, 2) end,
      ["some classes"] = function(x) return x:narrow(3, 1, 2) end,
      clone = function(x) return x:clone() end,
      ["a shape without classes"] = function(x) return x:reshape(-1) end,
      softmax = function(x) return x:softmax(3) end,
      double = function(x) return x:double() end,
      expand = function(x) return x:unsqueeze(1):expand(2, 3, 4, C) end,
      ["a cat of classes"] = function(x) return gru.cat({x, x}, 3) end,
      ["a cat with a dense one"] = function(x) return gru.cat({x, gru.zeros(1, 4, C)}, 1) end,
      ["a product from the left"] = function(x) return random(1, 3, 4):t():matmul(x[{{}, 1}]) end,
      ["a vector"] = function(x) return x:matmul(random(1, C)) end,
      ["a batch of matrices"] = function(x) return x:matmul(random(1, 3, C, 2)) end,
      index_select = function(x) return x:index_select(1, gru.tensor({3, 1, 3})) end,
      gather = function(x) return x:gather(3, gru.tensor(IDS):unsqueeze(3)) end,
      argmax = function(x) return x:argmax(3) end,
      where = function(x) return gru.where(x:gt(0), x, -1) end,
    } do
      local x, d = hot(), dense()
      local view, part = x:transpose(1, 2), x[2]
      local ok, message = agree.tensors(op(x), op(d), 1e-6)
      assert(ok, message and name .. ": " .. message)
      same(view, d:transpose(1, 2))
      same(part, d[2])
      same(x, d)
    end
  end)

  it("is left by a change in place, which all views see", function()
    for _, change in ipairs {
      function(x) x:add_(1) end, function(x) x[1] = 0 end, function(x) x:select(3, 1):fill_(7) end,
      function(x) x:copy_(gru.ones(C)) end, function(x) x:fill_(2) end,
      function(x) x:transpose(1, 2):mul_(3) end,
      function(x)
        gru.manual_seed(1)
        x:uniform_()
      end,
    } do
      local x, d = hot(), dense()
      local view = x:transpose(1, 2):narrow(1, 2, 2)
      change(x)
      change(d)
      same(x, d)
      same(view, d:transpose(1, 2):narrow(1, 2, 2))
      assert.is_false(view:is_one_hot())
    end
  end)

  it("is left by raw access", function()
    local x = hot()
    assert.equal(dense():data(), x:data())
    x = hot()
    assert.is_true(x:data_ptr() ~= 0)
    same(x, dense())
  end)

  it("counts with every row that is there", function()
    assert.equal(0, gru.one_hot(gru.zeros(0, {dtype = "int64"}), 3):matmul(random(1, 3, 2)):numel())
    local x = gru.one_hot(gru.tensor(2), 3)
    assert.is_true(x:is_one_hot())
    same(x:matmul(random(1, 3, 2)), random(1, 3, 2)[2])
  end)

  it("does not require a gradient, but is part of graphs", function()
    local x = hot()
    local w = random(2, C, 5):requires_grad_()
    local y = x:matmul(w)
    assert.is_true(y.requires_grad)
    local g = random(4, 3, 4, 5)
    y:backward(g)
    local v = random(2, C, 5):requires_grad_()
    dense():matmul(v):backward(g)
    same(w.grad, v.grad, 1e-6)
    assert.is_true(x:is_one_hot())
  end)
end)

describe("the gradient of a product with one-hot rows", function()
  local function compare(f)
    local grads = {}
    for i, make in ipairs {hot, dense} do
      local w = random(2, C, 5):requires_grad_()
      f(make(), w):backward()
      grads[i] = w.grad
    end
    same(grads[1], grads[2], 1e-6)
    -- and under create_graph
    local w = random(2, C, 5):requires_grad_()
    local g = core.grad({f(hot(), w)}, {w}, nil, {create_graph = true})[1]
    same(g:detach(), grads[1], 1e-6)
  end

  it("is that of the dense one, step by step", function()
    local g = random(5, 3, 4, 5)
    compare(function(x, w)
      local loss = 0
      for t = 1, 3 do loss = loss + (x[t]:matmul(w) * g[t]):sum() end
      return loss
    end)
  end)

  it("is, through transposes and rows", function()
    local g = random(5, 4, 5)
    compare(function(x, w)
      local v = w:t():contiguous():t()
      local loss = (x:transpose(1, 2)[1]:matmul(v)):square():sum()
      for t = 1, 3 do loss = loss + (x[t]:matmul(w) * g):sum() + x[{t, 2}]:matmul(w):exp():sum() end
      return loss
    end)
    compare(function(x, w)
      local u = w:t() -- (5, C): its transpose is the factor
      local loss = 0
      for t = 1, 3 do loss = loss + (x[t]:matmul(u:t()) * g):sum() end
      return loss
    end)
  end)

  it("is, in a layer with a bias that also has dense rows", function()
    local b, g = random(6, 5), random(5, 3, 4, 5)
    compare(function(x, w)
      local u = w:t():contiguous()
      local rows = random(7, 4, C)
      return (F.linear(x, u, b) * g):sum() + F.linear(rows, u, b):square():sum()
        + rows:matmul(u:t()):exp():sum()
    end)
    same(F.linear(hot(), random(2, 5, C), b), F.linear(dense(), random(2, 5, C), b), 1e-6)
  end)

  it("is, with a weight held as its transpose", function()
    local grads, g = {}, random(5, 3, 4, 5)
    for i, make in ipairs {hot, dense} do
      local w = random(2, 5, C):requires_grad_()
      local x, loss = make(), 0
      for t = 1, 3 do loss = loss + (x[t]:matmul(w:t()) * g[t]):sum() end
      loss:backward()
      grads[i] = w.grad
    end
    same(grads[1], grads[2], 1e-6)
  end)

  it("is, mixed with dense steps and other uses", function()
    local d = random(6, 4, C)
    compare(function(x, w)
      return x[1]:matmul(w):square():sum() + d:matmul(w):square():sum() + x[2]:matmul(w):sum() + (w * w):sum()
    end)
  end)

  it("is, where rows are so wide that threads share them", function()
    gru.manual_seed(4)
    local ids, grads = gru.randint(1, 61, {6, 40}), {}
    for i, make in ipairs {function(t) return gru.one_hot(ids[t], 60) end,
      function(t) return gru.one_hot(ids[t], 60):clone():mul_(1) end} do
      local w, loss = random(2, 60, 300):requires_grad_(), 0
      for t = 1, 6 do loss = loss + (make(t):matmul(w) * random(t, 40, 300)):sum() end
      loss:backward()
      grads[i] = w.grad
    end
    same(grads[1], grads[2], 1e-5)
  end)

  it("does not wait for the end with more than some 64 MB of a sequence's gradients", function()
    local MB, w, loss = 1 << 20, gru.ones(10, 40, {requires_grad = true}), 0
    local x = gru.one_hot(gru.ones(100000, {dtype = "int64"}), 10)
    for t = 1, 10 do loss = loss + (x:matmul(w) * t):sum() end -- a gradient of 16 MB each
    collectgarbage()
    collectgarbage()
    gru.reset_peak_memory()
    local start = gru.memory().live
    loss:backward()
    local most = gru.get_default_device() == "cpu" and 120 or 200 -- there it is joined first
    assert.is_true(gru.memory().peak - start < most * MB)
    assert.equal(55 * 100000, w.grad[1][1]:item())
  end)

  it("is exact in second order", function()
    local x = gru.one_hot(gru.tensor({2, 2, 1}), 3)
    local draw = new_rng(4)
    assert(gradcheck.second(function(w) return x:matmul(w):tanh() end,
      {nd.generate({3, 2}, function() return draw(-1, 1) end)}))
  end)
end)
