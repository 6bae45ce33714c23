--- Gradients against central differences, of first and second order.
--
-- `f` takes float64 tensors and gives one; what is differentiated is the sum of its result with
-- random weights w.  The second order differentiates the sum of all first gradients, weighted again,
-- with respect to the inputs and w.
local core = require "gru.core"
local gru = require "gru"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"

local EPS, ATOL, RTOL = 1e-6, 2e-8, 1e-5

local function tensors(arrays, requires_grad)
  local list = {}
  for i, a in ipairs(arrays) do
    list[i] = nd.tensor(a, "float64")
    if requires_grad then list[i]:requires_grad_() end
  end
  return list
end

-- (f(inputs) * w):sum(), the last of `list` being w.
local function weighted(f, list)
  local inputs = {table.unpack(list, 1, #list - 1)}
  return (f(table.unpack(inputs)) * list[#list]):sum()
end

-- The central difference of `value(tensors)` in every element of arrays[k]; `list` are their tensors.
local function difference(value, arrays, list, k)
  local a, kept, data = arrays[k], list[k], {}
  local wants = kept.requires_grad
  local function at(i, v)
    local before = a.data[i]
    a.data[i] = v
    list[k] = nd.tensor(a, "float64"):requires_grad_(wants)
    a.data[i] = before
    return value(list)
  end
  for i, v in ipairs(a.data) do data[i] = (at(i, v + EPS) - at(i, v - EPS)) / (2 * EPS) end
  list[k] = kept
  return nd.new(a.shape, data)
end

-- false for NaN
local function within(d, limit) return math.abs(d) <= limit end

local function compare(got, want, name, loosen)
  local values = got and nd.of(got).data
  for i, w in ipairs(want.data) do
    local g = values and values[i] or 0
    if not within(g - w, ATOL * (loosen or 1) + RTOL * math.abs(w)) then
      return nil, ("%s: element %d is %.10g, differences give %.10g"):format(name, i, g, w)
    end
  end
  return true
end

local function same_gradients(a, b, name)
  for k, g in ipairs(a) do
    local x, y = g and nd.of(g).data or {}, b[k] and nd.of(b[k]).data or {}
    for i = 1, math.max(#x, #y) do
      local u, v = x[i] or 0, y[i] or 0
      if not within(u - v, 1e-12 * math.max(1, math.abs(v))) then
        return nil, ("%s: input %d, element %d: %.17g and %.17g"):format(name, k, i, u, v)
      end
    end
  end
  return true
end

local gradcheck = {}

-- Arrays with the weights of the output added.
local function with_weights(f, arrays, seed)
  local draw, list = new_rng(seed), {table.unpack(arrays)}
  local y = gru.no_grad(f, table.unpack(tensors(arrays)))
  list[#list + 1] = nd.generate(y.shape, function() return draw(0.5, 1.5) end)
  return list
end

--- First order: backward, grad, and grad under create_graph, against differences.
-- @return true, or nil and a message
function gradcheck.first(f, arrays, seed)
  local list = with_weights(f, arrays, seed or 1)
  local function value(at) return gru.no_grad(weighted, f, at):item() end
  local leaves = tensors(list, true)
  local loss = weighted(f, leaves)
  local allow = {allow_unused = true, retain_graph = true}
  local plain = core.grad({loss}, leaves, nil, allow)
  local composed = core.grad({loss}, leaves, nil, {allow_unused = true, create_graph = true})
  loss:backward()
  local constants = tensors(list)
  for k = 1, #list do
    local want = difference(value, list, constants, k)
    local ok, message = compare(leaves[k].grad, want, ("d/d input %d"):format(k))
    if not ok then return nil, message end
  end
  local grads = {}
  for k, leaf in ipairs(leaves) do grads[k] = leaf.grad or false end
  local ok, message = same_gradients(plain, grads, "grad and backward differ")
  if not ok then return nil, message end
  return same_gradients(composed, grads, "under create_graph the gradient differs")
end

--- Second order: differences of the first gradients as plain backward gives them.
function gradcheck.second(f, arrays, seed)
  local list = with_weights(f, arrays, seed or 1)
  local draw, again = new_rng((seed or 1) + 100), {}
  for k, a in ipairs(list) do
    again[k] = nd.generate(a.shape, function() return draw(0.5, 1.5) end)
  end
  local weights = tensors(again)
  -- sum_k sum again_k d loss / d input_k
  local function total(grads)
    local sum = nil
    for k, g in ipairs(grads) do
      local term = g and (g * weights[k]):sum()
      if term then sum = sum and sum + term or term end
    end
    return sum
  end
  local function value(at)
    return total(core.grad({weighted(f, at)}, at, nil, {allow_unused = true})):item()
  end
  local leaves = tensors(list, true)
  local grads = core.grad({weighted(f, leaves)}, leaves, nil,
    {allow_unused = true, create_graph = true})
  local sum, second = total(grads), {}
  if sum.requires_grad then
    second = core.grad({sum}, leaves, nil, {allow_unused = true})
  end
  for k = 1, #list do
    local want = difference(value, list, leaves, k)
    local ok, message = compare(second[k] or nil, want, ("d2/d input %d"):format(k), 5)
    if not ok then return nil, message end
  end
  return true
end

return gradcheck
