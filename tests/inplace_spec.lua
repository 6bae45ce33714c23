-- Writing in place while gradients are recorded: views, bases, and what a change invalidates.
local gru = require "gru"
local gradcheck, gradgradcheck = gru.autograd.gradcheck, gru.autograd.gradgradcheck
local describe = require("tests.support.devices").describe

local function inputs()
  gru.manual_seed(3)
  local options = {dtype = "float64", requires_grad = true}
  return {gru.randn(3, 4, options), gru.randn(4, options)}
end

-- Every case computes from x (3, 4) and v (4).
local cases = {
  ["a row of a product"] = function(x, v)
    local y = x * 2
    y[2] = v * v
    return y:sin()
  end,
  ["a block, seen through another view"] = function(x, v)
    local y = x * 2
    local w = y:t()
    y[{{}, {2, 3}}]:mul_(v:narrow(1, 1, 2))
    return w:exp() + y:t()
  end,
  ["a constant between limits that have gradients"] = function(x, v)
    local y = gru.linspace(-1, 1, 12, {dtype = "float64"}):reshape(3, 4)
    y:clamp_(x * 0.5, v:exp())
    return y:sin()
  end,
  ["rows of a constant"] = function(_, v)
    local y = gru.zeros(3, 4, {dtype = "float64"})
    local z = y[1]
    y[2] = v
    y[3] = v:sin()
    y:mul_(2)
    return z:sum() + y:square():sum() + z
  end,
  ["two views one after the other"] = function(x, v)
    local y = x * 1
    local a, b = y[1], y:select(2, 1)
    a:add_(v)
    b:mul_(3)
    a:tanh_()
    return y * y + a:sum()
  end,
  ["constants, then other rows"] = function(x, v)
    local y = x * x
    y[1]:fill_(3)
    local z = y[2]
    z:copy_(v)
    return y
  end,
  ["the whole, whose views follow"] = function(x, v)
    local y = x * 1
    local row = y[3]
    y:mul_(v)
    return row * row + y[1]
  end,
  ["a reshaped and transposed view"] = function(x, v)
    local y = x:t() * 1
    local z = y:reshape(2, 6)
    z[1]:exp_()
    return y:matmul(x) + v:sum()
  end,
  ["a step of a range"] = function(x, v)
    local y = x * 1
    y[{{1, 3, 2}, {2, 4, 2}}]:mul_(v[1])
    return y
  end,
}

describe("in place under autograd:", function()
  for name, f in pairs(cases) do
    it(name, function()
      assert.is_true(gradcheck(f, inputs(), {atol = 1e-7, rtol = 1e-5}))
      assert.is_true(gradgradcheck(f, inputs(), {atol = 1e-6, rtol = 1e-4}))
    end)
  end

  it("a leaf that requires grad is refused, and a view of one", function()
    local x = gru.ones(2, 2, {requires_grad = true})
    assert.error_matches(function() x:add_(1) end, "add_: a leaf")
    assert.error_matches(function() x[1]:add_(1) end, "add_: a leaf")
    assert.error_matches(function() x[1] = 5 end, "leaf")
    gru.no_grad(function() x[1]:add_(1) end)
    assert.same({{2, 2}, {1, 1}}, x:detach():totable())
  end)

  it("a saved tensor that was changed through a view is noticed, with op and line", function()
    local x = gru.ones(2, 2, {requires_grad = true})
    local y = x * 2
    local z = y * y
    y[1]:add_(1)
    assert.error_matches(function() z:sum():backward() end, "mul %([^)]*inplace_spec.lua:%d+%) saved")
  end)

  it("an expanded tensor is refused", function()
    assert.error_matches(function() gru.ones(1, 3):expand(2, 3):add_(1) end, "add_: several elements")
  end)
end)
