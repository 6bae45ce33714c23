-- no_grad and enable_grad: scopes, errors, coroutines.
local gru = require "gru"
local describe = require("tests.support.devices").describe

describe("grad mode", function()
  local x = gru.ones(2, {requires_grad = true})

  local function recorded() return (x * 2).requires_grad end

  after_each(function()
    local mode = gru.is_grad_enabled()
    gru.set_grad_enabled(true)
    assert.is_true(mode, "a scope leaked")
  end)

  it("is on by default", function()
    assert.is_true(gru.is_grad_enabled())
    assert.is_true(recorded())
  end)

  it("is off in a closed scope, which nests", function()
    do
      local _ <close> = gru.no_grad()
      assert.is_false(recorded())
      do
        local _ <close> = gru.enable_grad()
        assert.is_true(recorded())
        do
          local _ <close> = gru.no_grad()
          assert.is_false(recorded())
        end
        assert.is_true(recorded())
      end
      assert.is_false(recorded())
    end
    assert.is_true(recorded())
  end)

  it("is off while a function runs, whose results come back", function()
    local function f(...) return recorded(), select("#", ...), ... end
    assert.same({false, 2, 7, n = 4}, table.pack(gru.no_grad(f, 7, nil)))
    assert.is_true(recorded())
    assert.is_true(gru.no_grad(function() return gru.enable_grad(recorded) end))
    assert.equal(0, select("#", gru.no_grad(function() end)))
    local layer, input = gru.nn.Linear(2, 3), gru.ones(4, 2)
    local y = gru.no_grad(layer, input)
    assert.is_true(y:equal(layer(input)))
    assert.is_false(y.requires_grad)
  end)

  it("comes back after an error", function()
    local ok = pcall(gru.no_grad, function() error("x") end)
    assert.is_false(ok)
    assert.is_true(recorded())
    ok = pcall(function()
      local _ <close> = gru.no_grad()
      error("x")
    end)
    assert.is_false(ok)
    assert.is_true(recorded())
    assert.error_matches(function() gru.no_grad(3) end, "a function or nothing expected, got number")
  end)

  it("can be set for good", function()
    assert.is_true(gru.set_grad_enabled(false))
    assert.is_false(recorded())
    assert.is_false(gru.set_grad_enabled(true))
    assert.is_true(recorded())
    assert.has_error(function() gru.set_grad_enabled(nil) end)
    assert.has_error(function() gru.set_grad_enabled(1) end)
  end)

  it("leaves what was made inside without history", function()
    local y = gru.no_grad(function() return x * 2 end)
    assert.is_false(y.requires_grad)
    assert.is_true(y.is_leaf)
    local z = (y * x):sum()
    z:backward()
    assert.same({2.0, 2.0}, x.grad:totable())
    x.grad = nil
  end)

  it("belongs to the coroutine: a yield does not leak", function()
    local co = coroutine.wrap(function()
      local _ <close> = gru.no_grad()
      coroutine.yield(recorded())
      coroutine.yield(recorded())
      return recorded()
    end)
    assert.is_false(co())
    assert.is_true(recorded())
    assert.is_false(co())
    assert.is_true(recorded())
    assert.is_false(co())
    assert.is_true(recorded())
  end)

  it("is inherited by a coroutine when it first computes", function()
    local co
    do
      local _ <close> = gru.no_grad()
      co = coroutine.create(function()
        coroutine.yield(recorded())
        return recorded()
      end)
      local _, inside = coroutine.resume(co)
      assert.is_false(inside)
    end
    assert.is_true(recorded())
    local _, later = coroutine.resume(co)
    assert.is_false(later)
    assert.is_true(recorded())
  end)

  it("stays apart in coroutines that take turns", function()
    local function worker(mode)
      return coroutine.wrap(function()
        gru.set_grad_enabled(mode)
        for _ = 1, 5 do coroutine.yield(recorded()) end
      end)
    end
    local on, off = worker(true), worker(false)
    for _ = 1, 5 do
      assert.is_true(on())
      assert.is_false(off())
      assert.is_true(recorded())
    end
  end)

  it("is not disturbed by a coroutine that dies inside a scope", function()
    local co = coroutine.create(function()
      local _ <close> = gru.no_grad()
      local _ = recorded()
      coroutine.yield()
    end)
    coroutine.resume(co)
    coroutine.close(co)
    assert.is_true(gru.is_grad_enabled())
    assert.is_true(recorded())
    co = coroutine.create(function()
      local _ <close> = gru.no_grad()
      local _ = recorded()
      error("x")
    end)
    coroutine.resume(co)
    assert.is_true(recorded())
    -- many of them, collected
    for _ = 1, 200 do
      local c = coroutine.wrap(function()
        gru.set_grad_enabled(false)
        local _ = recorded()
        coroutine.yield()
      end)
      c()
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(recorded())
  end)

  it("is the caller's in a backward, whatever ran before", function()
    local co = coroutine.wrap(function()
      gru.set_grad_enabled(false)
      coroutine.yield(recorded())
    end)
    local y = (x * 2):sum()
    co()
    y:backward()
    assert.is_true(recorded())
    x.grad = nil
  end)
end)
