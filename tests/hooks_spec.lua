-- Hooks: functions that see, and may replace, a gradient.
local gru = require "gru"
local core = require "gru.core"
local describe = require("tests.support.devices").describe

local function leaf(...) return gru.tensor({...}, {requires_grad = true}) end
local function values(expected, t) assert.same(expected, t:totable()) end

describe("a hook", function()
  it("sees the complete gradient, once", function()
    local x = leaf(1.0, 2.0)
    local y = x * 3
    local seen = {}
    y:register_hook(function(g) seen[#seen + 1] = g:totable() end);
    (y * 2 + y):sum():backward()
    assert.same({{3.0, 3.0}}, seen)
    values({9.0, 9.0}, x.grad)
  end)

  it("may replace it", function()
    local x = leaf(1.0, 2.0)
    local y = x * 3
    y:register_hook(function(g) return g * 10 end)
    y:sum():backward()
    values({30.0, 30.0}, x.grad)
  end)

  it("of a leaf changes what is accumulated", function()
    local x = leaf(1.0, 2.0)
    x:register_hook(function(g) return g * 2 end)
    x:sum():backward()
    x:sum():backward()
    values({4.0, 4.0}, x.grad)
  end)

  it("runs after those before it", function()
    local x, order = leaf(1.0), {}
    x:register_hook(function(g)
      order[#order + 1] = "first"
      return g + 1
    end)
    x:register_hook(function(g)
      order[#order + 1] = "second"
      return g * 10
    end)
    x:sum():backward()
    values({20.0}, x.grad)
    assert.same({"first", "second"}, order)
  end)

  it("can be removed, one by one", function()
    local x = leaf(1.0)
    local a = x:register_hook(function(g) return g * 2 end)
    local b = x:register_hook(function(g) return g * 3 end)
    assert.not_equal(a, b)
    x:remove_hook(a)
    x:sum():backward()
    values({3.0}, x.grad)
    x:remove_hook(b)
    x:remove_hook(b)
    x:remove_hook(999999)
    x:sum():backward()
    values({4.0}, x.grad)
    x:register_hook(function(g) return g * 5 end)
    x:sum():backward()
    values({9.0}, x.grad)
  end)

  it("may remove itself, or the next one", function()
    local x, id, other = leaf(1.0), nil, nil
    id = x:register_hook(function(g)
      x:remove_hook(id)
      x:remove_hook(other)
      return g * 2
    end)
    other = x:register_hook(function(g) return g * 100 end)
    x:sum():backward()
    x:sum():backward()
    values({3.0}, x.grad)
  end)

  it("may remove itself and fail", function()
    local x, id = leaf(1.0), nil
    id = x:register_hook(function()
      x:remove_hook(id)
      error({code = 7}, 0)
    end)
    local ok, value = pcall(x.backward, x:sum())
    assert.is_false(ok)
    assert.same({code = 7}, value)
    id = x:register_hook(function()
      x:remove_hook(id)
      return gru.ones(3)
    end)
    assert.error_matches(function() x:sum():backward() end, "hook: it returned float32 %[3%] in place of")
    x:sum():backward()
    values({1.0}, x.grad)
  end)

  it("passes its error value on unchanged", function()
    local x = leaf(1.0)
    local thrown = setmetatable({}, {__tostring = function() return "mine" end})
    x:register_hook(function() error(thrown) end)
    local ok, value = pcall(function() x:sum():backward() end)
    assert.is_false(ok)
    assert.is_true(rawequal(thrown, value))
    assert.is_nil(x.grad)
    assert.is_true(gru.is_grad_enabled())
  end)

  it("fails with an error of its own where it returns something else", function()
    local x = leaf(1.0)
    x:register_hook(function() return 5 end)
    assert.error_matches(function() x:sum():backward() end,
      "hook: it must return a tensor or nil, got number")
    local y = leaf(1.0)
    y:register_hook(function() return gru.ones(1, {dtype = "float64"}) end)
    assert.error_matches(function() y:sum():backward() end, "hook: it returned float64 %[1%]")
  end)

  it("leaves a failed backward's graph usable", function()
    local x, fail = leaf(1.0, 2.0), true
    local y = x * x
    y:register_hook(function() if fail then error("no") end end)
    local loss = y:sum()
    assert.has_error(function() loss:backward({retain_graph = true}) end)
    fail = false
    loss:backward()
    values({2.0, 4.0}, x.grad)
  end)

  it("may not yield", function()
    local x = leaf(1.0)
    x:register_hook(function() coroutine.yield() end)
    local co = coroutine.create(function() x:sum():backward() end)
    local ok, message = coroutine.resume(co)
    assert.is_false(ok)
    assert.matches("yield", message)
    assert.is_true(gru.is_grad_enabled())
  end)

  it("may run backward of something else, or of the same graph", function()
    local x, z = leaf(1.0, 2.0), leaf(3.0)
    local y = x * 2
    y:register_hook(function(g)
      gru.enable_grad(function() (z * z):sum():backward() end)
      return g * z.grad
    end)
    y:sum():backward()
    values({12.0, 12.0}, x.grad)
    local w, n = leaf(1.0), 0
    local v = w * 2
    local loss = v:sum()
    v:register_hook(function()
      n = n + 1
      if n == 1 then loss:backward({retain_graph = true}) end
    end)
    loss:backward({retain_graph = true})
    assert.equal(2, n)
    values({4.0}, w.grad)
  end)

  it("may use coroutines", function()
    local x, y = leaf(1.0), leaf(1.0)
    local suspended
    x:register_hook(function(g)
      suspended = coroutine.create(function()
        local h = g * 2
        coroutine.yield(h)
        return h + 1
      end)
      local _, h = coroutine.resume(suspended)
      return h
    end)
    x:register_hook(function(g) return coroutine.wrap(function() return g + 5 end)() end)
    y:register_hook(function(g) return g * 3 end);
    (x + y):sum():backward()
    values({7.0}, x.grad)
    values({3.0}, y.grad)
    assert.is_true(gru.is_grad_enabled())
    assert.is_true((x * 2).requires_grad)
    assert.equal("suspended", coroutine.status(suspended))
    local ok, h = coroutine.resume(suspended)
    assert.is_true(ok)
    values({3.0}, h)
  end)

  it("records nothing by itself, but does under create_graph", function()
    local x, mode = leaf(2.0), nil
    x:register_hook(function(g)
      mode = gru.is_grad_enabled()
      return g * x
    end)
    x:square():sum():backward()
    assert.is_false(mode)
    assert.is_false(x.grad.requires_grad)
    local g = core.grad({x:square():sum()}, {x}, nil, {create_graph = true})[1]
    assert.is_true(mode)
    values({8.0}, g:detach()) -- 2x x
    values({8.0 * 2}, core.grad({g:sum()}, {x}, nil)[1]) -- d(2 x^2) = 4x, times x again by the hook
  end)

  it("of a leaf is not run by grad() for other leaves", function()
    local x, w, calls = leaf(2.0), leaf(3.0), 0
    w:register_hook(function() calls = calls + 1 end)
    local y = leaf(1.0)
    gru.autograd.grad((x * w * y):sum(), {x, y})
    assert.equal(0, calls)
    gru.autograd.grad((x * w * y):sum(), {x, w})
    assert.equal(1, calls)
  end)

  it("keeps what it needs alive, and is let go with its tensor", function()
    local x = leaf(1.0, 2.0)
    local y = x * 3
    local kept = setmetatable({{}}, {__mode = "v"})
    do
      local token = kept[1]
      y:register_hook(function(g) return g * (token and 2 or 1) end)
    end
    collectgarbage()
    assert.is_table(kept[1])
    y:sum():backward()
    values({6.0, 6.0}, x.grad)
    y = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_nil(kept[1])
  end)

  it("is for tensors that require grad, and a function", function()
    assert.error_matches(function() gru.ones(1):register_hook(print) end,
      "register_hook: the tensor does not require grad")
    assert.has_error(function() leaf(1.0):register_hook(3) end)
  end)
end)
