--- Gradients on request, and checking them.
-- @module gru.autograd
local core = require "gru.core"

local autograd = {}

local function list(x) return core.is_tensor(x) and {x} or x end

local known = {retain_graph = true, create_graph = true, allow_unused = true, grad_outputs = true}

--- d(outputs) / d(inputs), leaving every `.grad` alone.
-- @param outputs a tensor or a table of them
-- @param inputs a tensor or a table of them
-- @tparam[opt] table options `grad_outputs` (weights of the outputs; 1 by default, for one-element
-- outputs), `retain_graph`, `create_graph`, `allow_unused` (an input that plays no part gives false)
-- @treturn table the gradients, in the order of the inputs
-- @usage local dx = gru.autograd.grad(loss, {x})[1]
function autograd.grad(outputs, inputs, options)
  options = options or {}
  for key in pairs(options) do
    if not known[key] then error(("grad: unknown option '%s'"):format(tostring(key)), 2) end
  end
  local weights = options.grad_outputs
  return core.grad(list(outputs), list(inputs), weights and list(weights), {
    retain_graph = options.retain_graph, create_graph = options.create_graph,
    allow_unused = options.allow_unused,
  })
end

-- Central differences of sum(weight * f(inputs)) by every element of input k.
local function numeric(value, x, eps)
  local flat = x:detach():reshape(-1)
  local slope = {}
  for i = 1, flat:numel() do
    local kept = flat[i]:item()
    flat[i] = kept + eps
    local above = value()
    flat[i] = kept - eps
    local below = value()
    flat[i] = kept
    slope[i] = (above - below) / (2 * eps)
  end
  return slope
end

local function weighted(f, inputs, weight)
  local y = f(table.unpack(inputs))
  return weight and (y * weight):sum() or y:sum()
end

--- Compares the gradients of f with central differences.
-- @tparam function f tensors to one float64 tensor
-- @param inputs float64 tensors, contiguous; those that require grad are checked
-- @tparam[opt] table options `eps` (1e-6), `atol` (1e-5), `rtol` (1e-3)
-- @treturn[1] boolean true
-- @treturn[2] boolean false
-- @treturn[2] string the worst element
function autograd.gradcheck(f, inputs, options)
  options = options or {}
  inputs = list(inputs)
  local eps, atol, rtol = options.eps or 1e-6, options.atol or 1e-5, options.rtol or 1e-3
  local checked = {}
  for i, x in ipairs(inputs) do
    if x.requires_grad then
      if x.dtype ~= "float64" or not x:is_contiguous() then
        error(("gradcheck: input %d must be float64 and contiguous, it is %s"):format(i, x.dtype), 2)
      end
      checked[#checked + 1] = i
    end
  end
  if #checked == 0 then error("gradcheck: no input requires grad", 2) end
  -- A weight of its own for every output element, so that errors cannot cancel.
  local y = f(table.unpack(inputs))
  local weight = core.empty(y.shape, "float64", y.device)
  local scale = core.empty({y:numel()}, "float64"):fill_(0)
  for i = 1, y:numel() do scale[i] = 0.5 + (i * 0.618034) % 1 end
  weight:copy_(scale:reshape(y.shape))
  local wanted = {}
  for n, i in ipairs(checked) do wanted[n] = inputs[i] end
  local grads = core.grad({(y * weight):sum()}, wanted, nil, {allow_unused = true})
  local function value()
    local before = core.set_grad_enabled(false)
    local v = weighted(f, inputs, weight):item()
    core.set_grad_enabled(before)
    return v
  end
  for n, i in ipairs(checked) do
    local slope = numeric(value, inputs[i], eps)
    local exact = grads[n] and grads[n]:reshape(-1):totable()
    for j, a in ipairs(slope) do
      local b = exact and exact[j] or 0
      if not (math.abs(a - b) <= atol + rtol * math.abs(a)) then
        return false, ("input %d, element %d: backward gives %.9g, differences give %.9g")
          :format(i, j, b, a)
      end
    end
  end
  return true
end

--- The same for the gradient of f: second derivatives.
function autograd.gradgradcheck(f, inputs, options)
  inputs = list(inputs)
  local function gradient(...)
    local args, wanted = {...}, {}
    for _, x in ipairs(args) do
      if x.requires_grad then wanted[#wanted + 1] = x end
    end
    local before = core.set_grad_enabled(true)
    local y = f(table.unpack(args))
    local grads = core.grad({y:square():sum()}, wanted, nil, {create_graph = true, allow_unused = true})
    core.set_grad_enabled(before)
    local parts = {}
    for _, g in ipairs(grads) do
      if g then parts[#parts + 1] = g:reshape(-1) end
    end
    return core.functions.cat(parts, 1)
  end
  return autograd.gradcheck(gradient, inputs, options)
end

return autograd
