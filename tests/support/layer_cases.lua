--- Runs the cases of tests/golden/layers.lua.
local agree = require "tests.support.agree"
local gru = require "gru"
local nd = require "tests.support.nd"

local nn = gru.nn
local layer_cases = {}

--- The numbers that layers.py's `fill` makes: kind "x" -2.005 .. 1.995, "p" 0.05 .. 0.95, else class
-- ids, from 1 on here.
function layer_cases.fill(shape, seed, kind, dtype)
  local values = {}
  for i = 1, nd.numel(shape) do
    local k = (i * 137 + i * i * 29 + seed * 7919) % 401
    if kind == "x" then
      values[i] = k * 0.01 - 2.005
    elseif kind == "p" then
      values[i] = 0.05 + k * 0.9 / 400
    else
      values[i] = k % tonumber(kind) + 1
    end
  end
  local is_float = kind == "x" or kind == "p"
  return gru.tensor(values, {dtype = is_float and dtype or "int64"}):reshape(shape):clone()
end

--- What the Lua text of a case makes: a module or a function.
function layer_cases.make(case, dtype)
  local call = assert(load("local gru, nn, F, dtype = ... return " .. case.lua))(gru, nn,
    nn.functional, dtype)
  if nn.is_module(call) then
    call:to(dtype)
    for i, p in ipairs(call:parameters()) do
      gru.no_grad(function() p:copy_(layer_cases.fill(p.shape, i + 10, "x", dtype) * 0.4) end)
    end
  end
  return call
end

-- Tensors of results, tables opened.
local function flatten(list, results)
  for _, r in ipairs(list) do
    if type(r) == "table" then flatten(r, results) else results[#results + 1] = r end
  end
  return results
end

local function call_case(case, call, inputs)
  local arguments = inputs
  if case.pair then arguments = {inputs[1], {inputs[2], inputs[3]}} end
  if case.lengths then arguments[#arguments + 1] = {lengths = case.lengths} end
  return flatten({call(table.unpack(arguments))}, {})
end

local function compare(what, t, golden, tol)
  if not golden then return end
  if not t then t = gru.zeros(golden[1], {dtype = "float64"}) end
  local ok, message = agree.values(t, nd.new(golden[1], golden[2]), tol)
  if not ok then error(what .. ": " .. message, 0) end
end

--- Runs a case and compares; raises where something differs.
function layer_cases.run(case, dtype)
  local call, inputs = layer_cases.make(case, dtype), {}
  for i, input in ipairs(case.inputs) do
    inputs[i] = layer_cases.fill(input[1], i, input[2], dtype)
    if inputs[i].dtype == dtype then inputs[i]:requires_grad_() end
  end
  local leaves = {table.unpack(inputs)}
  local out = call_case(case, call, inputs)
  assert(#out == #case.out, #out .. " results")
  local total = 0
  for i, golden in ipairs(case.out) do
    compare("result " .. i, out[i]:detach(), golden, agree.forward[dtype])
    assert(out[i].dtype == dtype, "dtype of the result")
    total = total + (out[i] * layer_cases.fill(out[i].shape, i + 30, "x", dtype)):sum()
  end
  if total.requires_grad then total:backward() end
  for i, golden in ipairs(case.dx) do
    compare("dx " .. i, leaves[i] and leaves[i].grad, golden, agree.backward[dtype])
  end
  if not case.dp then return end
  local i = 0
  for name, p in call:named_parameters() do
    i = i + 1
    assert(name == case.keys[i], ("parameter %d is %s, expected %s"):format(i, name, case.keys[i]))
    compare("d" .. name, p.grad, case.dp[i], agree.backward[dtype])
  end
  assert(i == #case.keys, i .. " parameters")
end

--- Iterates over `title, test` for every case and dtype of a group.
function layer_cases.each(group)
  return coroutine.wrap(function()
    for _, case in ipairs(group) do
      local shapes = {}
      for i, input in ipairs(case.inputs) do shapes[i] = "[" .. table.concat(input[1], ",") .. "]" end
      for _, dtype in ipairs {"float64", "float32"} do
        local title = ("%s %s %s"):format(case.lua, table.concat(shapes, " "), dtype)
        coroutine.yield(title, function() layer_cases.run(case, dtype) end)
      end
    end
  end)
end

return layer_cases
