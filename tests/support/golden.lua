--- Runs the cases of tests/golden/ops.lua and surface.lua: calls with PyTorch's results and gradients.
local gru = require "gru"
local core = require "gru.core"
local agree = require "tests.support.agree"
local nd = require "tests.support.nd"

local golden = {}

local TOLERANCE = {float32 = 2e-6, float64 = 1e-9, int64 = 0, bool = 0}

--- The array that a saved tensor `{dtype, shape, elements}` stands for.
function golden.array(saved) return nd.new(saved[2], saved[3]) end

--- The function of `gru, core, a, b, c` that a text is.
function golden.expression(text)
  return assert(load("local gru, core, a, b, c = ... return " .. text, text, "t"))
end

-- What `w` was when the gradients were made: 0.5, 0.75, 1 ...
local function weights(y)
  return nd.tensor(nd.generate(y.shape, function(i) return 0.25 + 0.25 * i end), y.dtype)
end

--- Compares a tensor with a saved one; raises where they differ.
function golden.check(t, saved, what)
  local ok, message = agree.shape(t, saved[2], saved[1])
  if ok then ok, message = agree.values(t, golden.array(saved), TOLERANCE[saved[1]], true) end
  assert(ok, message and what .. ": " .. message)
end

--- Runs a case `{call =, inputs =, outs =, grads =}`; raises where something differs.
function golden.run(case)
  local inputs = {}
  for k, saved in ipairs(case.inputs) do
    inputs[k] = nd.tensor(golden.array(saved), saved[1])
    if case.grads[k] then inputs[k]:requires_grad_() end
  end
  local outs = {golden.expression(case.call)(gru, core, table.unpack(inputs))}
  for k, saved in ipairs(case.outs) do golden.check(outs[k], saved, "result " .. k) end
  if #case.grads == 0 then return end
  outs[1]:backward(weights(outs[1]))
  for k, saved in ipairs(case.grads) do
    if saved then golden.check(inputs[k].grad, saved, "gradient " .. k) end
  end
end

return golden
