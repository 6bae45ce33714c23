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

-- ---- functions with a gradient of their own ---------------------------------------------------

--- A function whose gradient is written in Lua.
--
--     local Cube = gru.autograd.Function:extend("Cube")
--     function Cube.forward(ctx, x)
--       ctx:save_for_backward(x)
--       return x * x * x
--     end
--     function Cube.backward(ctx, grad)
--       local x = ctx:saved_tensors()
--       return grad * 3 * x * x
--     end
--     local y = Cube.apply(x)
--
-- `forward` runs unrecorded; `backward` gets the gradient of every result and returns one for every
-- tensor among the arguments of apply, nil for none.  `ctx` may carry other values as fields.
-- @table Function
local Function = {name = "Function"}
autograd.Function = Function

local Context = {}
Context.__index = Context

--- Keeps tensors for backward, where a change in place in between is an error.
function Context:save_for_backward(...)
  local saved = table.pack(...)
  for i = 1, saved.n do
    local x = saved[i]
    if x ~= nil then
      if not core.is_tensor(x) then error("save_for_backward: tensors expected, got " .. type(x), 2) end
      saved[i] = {tensor = x, version = x:_version()}
    end
  end
  self.saved = saved
end

--- The tensors that were saved.
function Context:saved_tensors()
  local list, saved = {}, self.saved or {n = 0}
  for i = 1, saved.n do
    local entry = saved[i]
    if entry then
      if entry.tensor:_version() ~= entry.version then
        error(("%s: saved tensor %d has been changed in place since"):format(self.name, i), 2)
      end
      list[i] = entry.tensor
    end
  end
  return table.unpack(list, 1, saved.n)
end

-- Runs f unrecorded.
local function unrecorded(f, ...)
  local before = core.set_grad_enabled(false)
  local results = table.pack(pcall(f, ...))
  core.set_grad_enabled(before)
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

-- One tensor that holds all results one after the other, so that the tape sees one.
local function bundle(results)
  local flat = {}
  for i, y in ipairs(results) do flat[i] = y:reshape(-1) end
  return core.functions.cat(flat, 1)
end

-- The results as views of the bundle.
local function unbundle(whole, results)
  local views, at = {}, 1
  for i, y in ipairs(results) do
    views[i] = whole:narrow(1, at, y:numel()):reshape(y.shape)
    at = at + y:numel()
  end
  return views
end

local function apply(class, ...)
  local ctx = setmetatable({name = class.name}, Context)
  local arguments, inputs, places = table.pack(...), {}, {}
  for i = 1, arguments.n do
    if core.is_tensor(arguments[i]) then
      inputs[#inputs + 1] = arguments[i]
      places[#inputs] = i
    end
  end
  local results = {unrecorded(class.forward, ctx, ...)}
  for i, y in ipairs(results) do
    if not core.is_tensor(y) then
      error(("%s: forward must return tensors, result %d is a %s"):format(class.name, i, type(y)), 3)
    end
  end
  if #results == 0 then error(class.name .. ": forward returned nothing", 3) end
  local several = #results > 1
  local whole = unrecorded(several and bundle or function(list) return list[1]:detach() end, results)
  core.record(whole, inputs, function(grad)
    local grads = several and unbundle(grad, results) or {grad}
    local given = table.pack(class.backward(ctx, table.unpack(grads)))
    local answer = {}
    for k = 1, #inputs do
      -- one gradient for every argument, or one for every tensor among them
      local g = given[given.n == #inputs and k or places[k]]
      if g ~= nil and not core.is_tensor(g) then
        error(("%s: backward must return tensors or nil, got a %s"):format(class.name, type(g)), 0)
      end
      answer[k] = g or false
    end
    return answer
  end)
  if not several then return whole end
  return table.unpack(unbundle(whole, results))
end

--- A new function class, with `forward` and `backward` to be defined.
function Function:extend(name)
  local class = setmetatable({name = name}, {__index = self})
  class.apply = function(...) return apply(class, ...) end
  return class
end

function Function.forward(ctx) error(ctx.name .. ": the class defines no forward", 2) end
function Function.backward(ctx) error(ctx.name .. ": the class defines no backward", 2) end

return autograd
