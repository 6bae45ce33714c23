--- Gradients on request, and checking them.
-- @module gru.autograd
local args = require "gru.args"
local core = require "gru.core"
local mode = require "gru.mode"

local autograd = {}

-- A tensor or a table of tensors, as a table.
local function list(name, what, x)
  if core.is_tensor(x) then return {x} end
  if type(x) ~= "table" then
    error(("%s: %s must be a tensor or a table of them, got %s"):format(name, what, type(x)), 3)
  elseif #x == 0 then
    error(("%s: no %s"):format(name, what), 3)
  end
  for i, t in ipairs(x) do
    if not core.is_tensor(t) then
      error(("%s: %s[%d] must be a tensor, got %s"):format(name, what, i, type(t)), 3)
    end
  end
  return x
end

local function check_function(name, f)
  local meta = type(f) == "table" and getmetatable(f) -- a module may be called, too
  if type(f) ~= "function" and not (type(meta) == "table" and meta.__call) then
    error(name .. ": a function expected, got " .. type(f), 3)
  end
end

local known = {retain_graph = true, create_graph = true, allow_unused = true, grad_outputs = true}

--- d(outputs) / d(inputs), leaving every `.grad` alone.
-- @param outputs a tensor or a table of them
-- @param inputs a tensor or a table of them
-- @tparam[opt] table options `grad_outputs` (weights of the outputs; 1 by default, for one-element
-- outputs), `retain_graph`, `create_graph`, `allow_unused` (an input that plays no part gives false)
-- @treturn table the gradients, in the order of the inputs
-- @usage local dx = gru.autograd.grad(x:square():sum(), {x})[1]
function autograd.grad(outputs, inputs, options)
  options = args.options("grad", options, known)
  outputs, inputs = list("grad", "outputs", outputs), list("grad", "inputs", inputs)
  local weights = options.grad_outputs
  weights = weights ~= nil and list("grad", "grad_outputs", weights) or nil
  return core.grad(outputs, inputs, weights, {
    retain_graph = options.retain_graph, create_graph = options.create_graph,
    allow_unused = options.allow_unused,
  })
end

-- Central differences of sum(value()) by every element of x.  They are taken before the sum, so that
-- elements of the value that stay as they are add no rounding error.
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
    slope[i] = (above - below):sum():item() / (2 * eps)
  end
  return slope
end

-- The inputs that require grad: which they are, and themselves.
local function checked_inputs(name, inputs)
  local places, wanted = {}, {}
  for i, x in ipairs(inputs) do
    if x.requires_grad then
      if x.dtype ~= "float64" or not x:is_contiguous() then
        error(("%s: input %d must be float64 and contiguous, it is %s"):format(name, i, x.dtype), 3)
      end
      places[#places + 1], wanted[#wanted + 1] = i, x
    end
  end
  if #places == 0 then error(name .. ": no input requires grad", 3) end
  return places, wanted
end

-- A weight of its own for every output element, so that errors cannot cancel.
local function weight_of(y)
  local weight = core.empty(y.shape, "float64", y.device)
  local scale = core.empty({y:numel()}, "float64"):fill_(0)
  for i = 1, y:numel() do scale[i] = 0.5 + (i * 0.618034) % 1 end
  return weight:copy_(scale:reshape(y.shape))
end

-- `may_be_constant`: a result without history has gradient 0.
local function check(name, f, inputs, options, may_be_constant)
  options = args.options(name, options, {eps = true, atol = true, rtol = true})
  local eps, atol, rtol = options.eps or 1e-6, options.atol or 1e-5, options.rtol or 1e-3
  local places, wanted = checked_inputs(name, inputs)
  local y = f(table.unpack(inputs))
  if not core.is_tensor(y) then
    error(name .. ": the function must return a tensor, got " .. type(y), 3)
  end
  local weight, grads = weight_of(y), {}
  if y.requires_grad or not may_be_constant then
    grads = core.grad({(y * weight):sum()}, wanted, nil, {allow_unused = true})
  end
  local function value()
    local _ <close> = mode.no_grad()
    return f(table.unpack(inputs)) * weight
  end
  for n, i in ipairs(places) do
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

--- Compares the gradients of f with central differences.
-- @tparam function f tensors to one float64 tensor
-- @param inputs float64 tensors, contiguous; those that require grad are checked
-- @tparam[opt] table options `eps` (1e-6), `atol` (1e-5), `rtol` (1e-3)
-- @treturn[1] boolean true
-- @treturn[2] boolean false
-- @treturn[2] string the first element that differs
function autograd.gradcheck(f, inputs, options)
  check_function("gradcheck", f)
  return check("gradcheck", f, list("gradcheck", "inputs", inputs), options)
end

--- The same for the gradient of f: second derivatives.
-- @tparam function f tensors to one float64 tensor
-- @param inputs float64 tensors, contiguous
-- @tparam[opt] table options as of `gradcheck`
function autograd.gradgradcheck(f, inputs, options)
  check_function("gradgradcheck", f)
  inputs = list("gradgradcheck", "inputs", inputs)
  local function gradient(...)
    local _ <close> = mode.enable_grad()
    local wanted, parts = {}, {}
    for _, x in ipairs {...} do
      if x.requires_grad then wanted[#wanted + 1] = x end
    end
    local loss = f(...):square():sum()
    for _, g in ipairs(core.grad({loss}, wanted, nil, {create_graph = true, allow_unused = true})) do
      if g then parts[#parts + 1] = g:reshape(-1) end
    end
    return core.functions.cat(parts, 1)
  end
  return check("gradgradcheck", gradient, inputs, options, true)
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
  local tensors, saved = {}, self.saved or {n = 0}
  for i = 1, saved.n do
    local entry = saved[i]
    if entry then
      if entry.tensor:_version() ~= entry.version then
        error(("%s: saved tensor %d has been changed in place since"):format(self.name, i), 2)
      end
      tensors[i] = entry.tensor
    end
  end
  return table.unpack(tensors, 1, saved.n)
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
  local whole = unrecorded(several and bundle or function(ys) return ys[1]:detach() end, results)
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
  if type(name) ~= "string" then error("extend: a name expected, got " .. type(name), 2) end
  local class = setmetatable({name = name}, {__index = self})
  class.apply = function(...) return apply(class, ...) end
  return class
end

--- What `apply` computes; a class must define it.
-- It is called with the arguments of `apply` behind ctx.
-- @param ctx where to save tensors, and fields of one's own
-- @return tensors
function Function.forward(ctx) error(ctx.name .. ": the class defines no forward", 2) end
--- The gradient of `forward`; a class must define it.
-- It is called with the gradient of each result behind ctx.
-- @param ctx what `forward` got
-- @return a gradient for each tensor among the arguments, or nil
function Function.backward(ctx) error(ctx.name .. ": the class defines no backward", 2) end

return args.bound(autograd)
