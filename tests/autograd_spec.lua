-- The tape: accumulation, retaining, detaching, versions, higher orders. Hooks, grad mode, held pairs
-- and the life of graphs have files of their own.
local gru = require "gru"
local core = require "gru.core"
local agree = require "tests.support.agree"
local gradcheck = require "tests.support.gradcheck"
local nd = require "tests.support.nd"
local describe = require("tests.support.devices").describe

local function leaf(value, options)
  options = options or {}
  options.requires_grad = true
  return gru.tensor(value, options)
end

local function values(expected, t) assert.same(expected, t:totable()) end

describe("backward", function()
  it("gives leaves their gradients, and accumulates", function()
    local x = leaf {1.0, 2.0}
    local y = (x * x):sum()
    y:backward()
    values({2.0, 4.0}, x.grad);
    (x * 3):sum():backward()
    values({5.0, 7.0}, x.grad)
    x.grad = nil
    x:sum():backward()
    values({1.0, 1.0}, x.grad)
  end)

  it("adds up all the paths of a graph", function()
    local x = leaf {2.0}
    local a, b = x * 3, x * x
    local c = a * b + a -- 3 x^3 + 3 x
    c:backward()
    values({39.0}, x.grad)
    local y = leaf {1.5}
    local z = y
    for _ = 1, 10 do z = z + z end
    z:backward()
    values({1024.0}, y.grad)
    local w = leaf {3.0};
    (w * w * w):backward()
    values({27.0}, w.grad)
    local v = leaf {2.0};
    (v + v + v):backward()
    values({3.0}, v.grad)
  end)

  it("does not share memory between gradients", function()
    local x, y = leaf {1.0, 1.0}, leaf {1.0, 1.0}
    local weights = gru.tensor {2.0, 3.0};
    (x + y):backward(weights)
    x.grad:mul_(10)
    values({2.0, 3.0}, y.grad)
    values({2.0, 3.0}, weights)
    local z = leaf {1.0}
    z:sum():backward()
    local first = z.grad
    z:sum():backward()
    assert.is_true(first == z.grad)
  end)

  it("does not write into a gradient that is seen through a view", function()
    local x, weights = leaf {{1.0, 2.0}, {3.0, 4.0}}, gru.tensor {{1.0, 2.0}, {3.0, 4.0}}
    local y = x * 1
    local z = x:t() -- its part of the gradient comes first: a view of the weights
    local dx = core.grad({y, z}, {x}, {gru.ones(2, 2), weights})[1]
    values({{2.0, 4.0}, {3.0, 5.0}}, dx)
    values({{1.0, 2.0}, {3.0, 4.0}}, weights)
  end)

  it("wants one element, or a gradient of the output's shape", function()
    local x = leaf {1.0, 2.0}
    assert.error_matches(function() (x * 2):backward() end,
      "backward: only a one%-element output.*%[2%].*:sum%(%)");
    (x * 2):backward(gru.tensor {1.0, 10.0})
    values({2.0, 20.0}, x.grad)
    assert.error_matches(function() (x * 2):backward(gru.ones(3)) end,
      "backward: a gradient of float32 %[3%] for an output of float32 %[2%]")
    assert.error_matches(function() (x * 2):backward(gru.ones(2, {dtype = "float64"})) end, "float64")
    local one = leaf {{4.0}};
    (one * 2):backward()
    values({{2.0}}, one.grad)
  end)

  it("wants something that requires a gradient", function()
    assert.error_matches(function() gru.ones(1):backward() end, "backward: the output does not require grad")
    local x = leaf {1.0}
    assert.error_matches(function() x:detach():backward() end, "does not require grad")
    x:backward() -- a leaf is its own output
    values({1.0}, x.grad)
  end)

  it("says when it is called again", function()
    local x = leaf {1.0, 2.0}
    local y = (x * x):sum()
    y:backward()
    assert.error_matches(function() y:backward() end,
      "backward: a second time through .*retain_graph = true")
    values({2.0, 4.0}, x.grad)
  end)

  it("may be called again with retain_graph", function()
    local x = leaf {1.0, 2.0}
    local y = (x * x):sum()
    y:backward(nil, {retain_graph = true})
    y:backward({retain_graph = true})
    y:backward()
    values({6.0, 12.0}, x.grad)
    assert.has_error(function() y:backward() end)
  end)

  it("shares a part of a graph that saves nothing", function()
    local x = leaf {1.0, 2.0}
    local y = x + 1
    y:sum():backward({retain_graph = true})
    y:mul(2):sum():backward()
    values({3.0, 3.0}, x.grad)
  end)

  it("refuses arguments that it does not know", function()
    local x = leaf {1.0}
    assert.has_error(function() x:backward(1) end)
    assert.has_error(function() x:backward(nil, 1) end)
    assert.has_error(function() x:backward(nil, nil, nil) end)
  end)

  it("gives views, slices and broadcasts their share", function()
    local x = leaf {{1.0, 2.0}, {3.0, 4.0}};
    (x[1] * 5 + x:t()[2]):sum():backward()
    values({{5.0, 6.0}, {0.0, 1.0}}, x.grad)
    local s = leaf(2.0);
    (s * gru.ones(2, 3)):sum():backward()
    assert.equal(6, s.grad:item())
    assert.same({}, s.grad.shape)
  end)

  it("keeps the dtype of each input", function()
    local x, y = leaf({1.0, 2.0}), leaf({3.0, 4.0}, {dtype = "float64"})
    local z = (x * y):sum()
    assert.equal("float64", z.dtype)
    z:backward()
    assert.equal("float32", x.grad.dtype)
    assert.equal("float64", y.grad.dtype)
    values({3.0, 4.0}, x.grad)
    local w = leaf {1.5}
    w:double():square():sum():backward()
    assert.equal("float32", w.grad.dtype)
    values({3.0}, w.grad)
  end)

  it("gives nothing to what does not require a gradient", function()
    local x, c = leaf {1.0}, gru.ones(1)
    local ids = gru.tensor {1};
    (x * c)[ids]:sum():backward()
    assert.is_nil(c.grad)
    assert.is_nil(ids.grad)
    values({1.0}, x.grad)
  end)
end)

describe("requires_grad", function()
  it("is for floats, and switched off for leaves only", function()
    assert.error_matches(function() gru.tensor({1}):requires_grad_() end, "only float tensors")
    local x = leaf {1.0}
    local y = x * 2
    assert.error_matches(function() y:requires_grad_(false) end, "leaves only; use :detach%(%)")
    x.requires_grad = false
    assert.is_false((x * 2).requires_grad)
    x.requires_grad = true
    assert.is_true((x * 2).requires_grad)
  end)

  it("spreads through ops, but not to ints and bools", function()
    local x = leaf {1.0, -1.0}
    assert.is_true((x + 1).requires_grad)
    assert.is_false(x:gt(0).requires_grad)
    assert.is_false(x:long().requires_grad)
    assert.is_false(x:argmax().requires_grad)
    local _, positions = x:max(1)
    assert.is_false(positions.requires_grad)
  end)
end)

describe("detach", function()
  it("shares the elements and has no history", function()
    local x = leaf {1.0, 2.0}
    local y = x * 2
    local d = y:detach()
    assert.is_false(d.requires_grad)
    assert.is_true(d.is_leaf)
    assert.equal(y:data_ptr(), d:data_ptr());
    (y * d):sum():backward()
    values({4.0, 8.0}, x.grad)
  end)

  it("shares the version, so that changes are noticed", function()
    local x = leaf {1.0, 2.0}
    local y = x * 2
    local z = (y * y):sum()
    y:detach():add_(1)
    assert.error_matches(function() z:backward() end, "backward: .* mul .*changed in place")
  end)

  it("lets a leaf be changed", function()
    local x = leaf {1.0, 2.0}
    x:detach():add_(1)
    values({2.0, 3.0}, x:detach())
    assert.is_true(x.requires_grad)
  end)
end)

describe("changes in place", function()
  it("are part of the history", function()
    local x = leaf({1.0, 2.0})
    local y = x * 3
    y:add_(1)
    y:square_()
    y:sum():backward() -- (3x + 1)^2
    values({24.0, 42.0}, x.grad)
    local z = leaf {0.5}
    local w = z * 1
    w:mul_(2):exp_()
    w:backward()
    assert(agree.values(z.grad, nd.new({1}, {2 * math.exp(1)}), 1e-6))
  end)

  it("with operands of the same storage are right, or refused", function()
    for _, case in ipairs {
      {function(y) y:mul_(y) end, {18.0, 36.0}}, {function(y) y:mul_(y:detach()) end, {9.0, 18.0}},
      {function(y) y:mul_(y[1]) end, {36.0, 9.0}}, {function(y) y:add_(y) end, {6.0, 6.0}},
      {function(y) y[{{1, 1}}]:mul_(y[{{2, 2}}]) end, {18.0, 12.0}}, {function(y) y:div_(y) end, {0.0, 0.0}},
    } do
      local x = leaf {1.0, 2.0}
      local y = x * 3
      local ok, message = pcall(function()
        case[1](y)
        y:sum():backward()
      end)
      if ok then
        values(case[2], x.grad)
      else
        assert.matches("in place", message)
      end
    end
  end)

  it("make a tensor without history one with", function()
    local x, buffer = leaf {1.0, 2.0}, gru.zeros(2)
    buffer:add_(x)
    buffer:add_(x)
    assert.is_true(buffer.requires_grad)
    assert.is_false(buffer.is_leaf)
    buffer:sum():backward()
    values({2.0, 2.0}, x.grad)
  end)

  it("copy_ hands the gradient over", function()
    local x, y = leaf {1.0, 2.0}, leaf {3.0}
    local z = x * 2
    z:copy_(y * 5)
    z:sum():backward()
    values({10.0}, y.grad)
    assert.is_true(x.grad == nil or x.grad:eq(0):all():item())
  end)

  it("of constants end the history", function()
    local x = leaf {1.0, 2.0}
    local z = x * 2
    z:fill_(3)
    assert.is_false(z.requires_grad)
    assert.is_false((z + 1).requires_grad)
  end)

  it("by a comparison end it too", function()
    local x = leaf {1.0, 2.0}
    local z = x * 2
    z:gt_(3)
    local y = (z + x):sum()
    y:backward()
    values({1.0, 1.0}, x.grad)
  end)

  it("of what was saved are noticed, with op and versions", function()
    for _, case in ipairs {
      {"mul", function(a) return a * a end}, {"exp", function(a) return a:exp() end, true},
      {"matmul", function(a) return a:matmul(a) end}, {"sigmoid", function(a) return a:sigmoid() end, true},
    } do
      local x = leaf {{1.0, 2.0}, {3.0, 4.0}}
      local a = x * 1
      local y = case[2](a)
      local changed = case[3] and y or a
      local loss = y:sum()
      changed:detach():zero_()
      assert.error_matches(function() loss:backward() end,
        "backward: float32 of shape %[2, 2%] that " .. case[1] .. ".* saved has been changed in place")
    end
  end)

  it("of what was not saved are not", function()
    local x = leaf {1.0, 2.0}
    local a = x * 2
    local y = (a + 1):sum()
    a:detach():zero_()
    y:backward()
    values({2.0, 2.0}, x.grad)
  end)

  it("of a leaf are refused but under no_grad", function()
    local x = leaf {1.0, 2.0}
    for _, f in ipairs {
      function() x:add_(1) end, function() x:fill_(0) end, function() x:copy_(gru.zeros(2)) end,
      function() x[1] = 0 end, function() x:t():mul_(2) end, function() x:relu_() end,
    } do
      assert.error_matches(f, "leaf that requires grad is changed in place; do it under no_grad%(%)")
    end
    gru.no_grad(function() x:add_(1) end)
    values({2.0, 3.0}, x:detach())
    assert.is_true(x.is_leaf and x.requires_grad)
  end)

  it("during an optimiser's step do not disturb the next forward", function()
    local w = leaf {2.0}
    for _ = 1, 3 do
      w.grad = nil;
      (w * w):sum():backward()
      gru.no_grad(function() w:sub_(w.grad * 0.25) end)
    end
    values({0.25}, w:detach())
  end)
end)

describe("retain_grad", function()
  it("keeps the gradient of what is not a leaf", function()
    local x = leaf {1.0, 2.0}
    local y = x * 3
    y:retain_grad();
    (y * y):sum():backward()
    values({6.0, 12.0}, y.grad)
    values({18.0, 36.0}, x.grad)
    assert.is_true(y.grad == y.grad)
    assert.error_matches(function() gru.ones(1):retain_grad() end, "retain_grad: the tensor does not require")
    x:retain_grad() -- of a leaf: nothing to do
  end)

  it("is nil without", function()
    local x = leaf {1.0}
    local y = x * 3
    y:backward()
    assert.is_nil(y.grad)
  end)

  it("survives a change in place and the end of the tensor", function()
    local x = leaf {1.0, 1.0}
    local y = x * 2
    y:retain_grad()
    y:mul_(3)
    local w = y + 1
    y = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    w:sum():backward()
    values({6.0, 6.0}, x.grad)
  end)
end)

describe("grad", function()
  it("gives gradients and leaves .grad alone", function()
    local x, y = leaf {1.0, 2.0}, leaf {3.0}
    local z = (x * y):sum()
    local dx, dy = table.unpack(core.grad({z}, {x, y}))
    values({3.0, 3.0}, dx)
    values({3.0}, dy)
    assert.is_nil(x.grad)
    assert.is_nil(y.grad)
  end)

  it("takes inputs inside the graph", function()
    local x = leaf {1.0, 2.0}
    local y = x * 3
    local dy, dx = table.unpack(core.grad({(y * y):sum()}, {y, x}))
    values({6.0, 12.0}, dy)
    values({18.0, 36.0}, dx)
  end)

  it("weighs several outputs", function()
    local x = leaf {1.0, 2.0}
    local dx = core.grad({x * 2, (x * x):sum()}, {x}, {gru.tensor {1.0, 10.0}, false})[1]
    values({4.0, 24.0}, dx)
  end)

  it("says which input is not used, unless that is allowed", function()
    local x, y = leaf {1.0}, leaf {1.0}
    local z = x * 2
    assert.error_matches(function() core.grad({z}, {x, y}, nil, {retain_graph = true}) end,
      "grad: the outputs do not depend on input 2; pass {allow_unused = true}")
    local dx, dy = table.unpack(core.grad({z}, {x, y}, nil, {allow_unused = true}))
    values({2.0}, dx)
    assert.is_false(dy)
    assert.error_matches(function() core.grad({x * 2}, {gru.ones(1)}) end, "input 1 does not require grad")
    assert.has_error(function() core.grad({x * 2}, {}) end)
    assert.has_error(function() core.grad({3}, {x}) end)
    assert.has_error(function() core.grad({x}, {3}) end)
  end)
end)

describe("create_graph", function()
  it("makes gradients that have gradients", function()
    local x = leaf {2.0, -1.0}
    local y = (x * x * x):sum()
    local g = core.grad({y}, {x}, nil, {create_graph = true})[1]
    values({12.0, 3.0}, g)
    assert.is_true(g.requires_grad)
    local h = core.grad({g:sum()}, {x}, nil, {create_graph = true})[1]
    values({12.0, -6.0}, h)
    values({6.0, 6.0}, core.grad({h:sum()}, {x})[1])
  end)

  it("works with backward", function()
    local x = leaf {3.0};
    (x * x):sum():backward({create_graph = true})
    values({6.0}, x.grad:detach())
    x.grad:sum():backward()
    -- the second backward adds 2 to the 6 that is there
    values({8.0}, x.grad:detach())
  end)

  it("gives a gradient penalty", function()
    local function penalty(x, w)
      local y = x:matmul(w):tanh():sum()
      local g = core.grad({y}, {x}, nil, {create_graph = true})[1]
      return g:square():sum()
    end
    -- the function under test builds a graph of its own, so differences are taken here
    local w = gru.tensor({{0.5, -0.3}, {0.2, 0.7}}, {dtype = "float64", requires_grad = true})
    local x = gru.tensor({{1.0, 2.0}}, {dtype = "float64", requires_grad = true})
    penalty(x, w):backward()
    local base, eps = w:detach(), 1e-6
    for i = 1, 2 do
      for j = 1, 2 do
        local at = {}
        for _, sign in ipairs {1, -1} do
          local moved = base:clone()
          moved[{i, j}] = base[{i, j}] + sign * eps
          at[#at + 1] = penalty(x, moved:requires_grad_()):item()
        end
        local slope = (at[1] - at[2]) / (2 * eps)
        assert(math.abs(slope - w.grad[{i, j}]:item()) < 1e-7)
      end
    end
  end)

  it("keeps the graph, and third derivatives right", function()
    assert(gradcheck.second(function(x) return x:sigmoid() * x:exp() end, {nd.new({2}, {0.3, -0.8})}))
    local x = gru.tensor({0.4}, {dtype = "float64", requires_grad = true})
    local g = x:sin()
    for _ = 1, 4 do g = core.grad({g:sum()}, {x}, nil, {create_graph = true})[1] end
    assert(math.abs(g:item() - math.sin(0.4)) < 1e-14)
  end)

  it("goes through composites", function()
    local function f(x, w)
      local h = x:matmul(w):tanh()
      return (h * h:softmax(-1)):logsumexp(2):std()
    end
    assert(gradcheck.first(f, {nd.new({2, 2}, {0.5, -1, 0.3, 2}), nd.new({2, 2}, {0.1, 0.4, -0.6, 1})}))
    assert(gradcheck.second(f, {nd.new({2, 2}, {0.5, -1, 0.3, 2}), nd.new({2, 2}, {0.1, 0.4, -0.6, 1})}))
  end)
end)
