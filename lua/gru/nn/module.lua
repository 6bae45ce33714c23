--- The base class of layers and models.
--
--     local Net = nn.Module:extend("Net")
--     function Net:init(inputs, outputs)
--       self.dense = nn.Linear(inputs, outputs)
--     end
--     function Net:forward(x)
--       return self.dense(x):sigmoid()
--     end
--     local net = Net(3, 2)
--     print(net(gru.randn(4, 3)))
--
-- Assigning a Parameter or a module to a field registers it, in the order of assignment; nil
-- takes it out again.  A registered name takes nothing else, so that no weight is lost by accident.
-- @module gru.nn.module
local args = require "gru.args"
local core = require "gru.core"
local Registry = require "gru.nn.registry"

local PARAMETERS, BUFFERS, MODULES = "_parameters", "_buffers", "_modules"
local KINDS = {PARAMETERS, MODULES, BUFFERS} -- where a name may be registered
-- What every name stands for, registered or plain, and below that the class: a table of its own, so that
-- every assignment is seen, and reading takes no call.
local FIELDS = "_fields"

-- Tensors that were made by Parameter: what tells a weight from a plain tensor field.
local is_parameter = setmetatable({}, {__mode = "k"})

--- A tensor that a module counts among its parameters: a leaf that requires grad, over the
-- storage of `x`.
-- @param x a float tensor
-- @tparam[opt=true] boolean requires_grad
local function Parameter(x, requires_grad)
  if not core.is_tensor(x) then error("Parameter: a tensor expected, got " .. type(x), 2) end
  if requires_grad ~= nil and type(requires_grad) ~= "boolean" then
    error("Parameter: requires_grad must be true or false, got " .. tostring(requires_grad), 2)
  end
  local p = x:detach()
  p:requires_grad_(requires_grad ~= false)
  is_parameter[p] = true
  core.keep(p) -- also when gru.scope ends
  return p
end

--- The base class; `nn.Module:extend(name)` makes a class of one's own.
-- @function Module
-- @usage local Net = nn.Module:extend("Net")
-- function Net:init() self.dense = nn.Linear(3, 2) end
-- function Net:forward(x) return self.dense(x) end
-- print(Net()(x))
local Module = {}

-- What a module's class is called; a field of the module may be called `name`, too.
local function class_name(self) return getmetatable(self).class.name end

--- Is `x` a module?
-- @param x anything
-- @treturn boolean
local function is_module(x)
  local meta = type(x) == "table" and getmetatable(x)
  return type(meta) == "table" and meta.is_module_class == true
end

local expected = {
  [PARAMETERS] = "a Parameter", [MODULES] = "a module", [BUFFERS] = "a tensor",
}

local function newindex(self, key, value)
  local kind = nil
  if core.is_tensor(value) and is_parameter[value] then
    kind = PARAMETERS
  elseif is_module(value) then
    kind = MODULES
  elseif core.is_tensor(value) and self._buffers.values[key] ~= nil then
    kind = BUFFERS
  end
  for _, name in ipairs(KINDS) do
    if name == kind then
      self[name]:set(key, value)
    elseif self[name].values[key] ~= nil then
      if kind == nil and value ~= nil then
        error(("%s: the field '%s' takes %s or nil, got a %s"):format(getmetatable(self).class.name,
          tostring(key), expected[name], core.is_tensor(value) and "plain tensor" or type(value)), 2)
      end
      self[name]:set(key, nil)
    end
  end
  self[FIELDS][key] = value
end

-- A module of a class: its metatable is a copy of `class.instance`, whose __index is its own fields unless
-- the class has one.
local function construct(class, ...)
  local meta = {}
  for key, value in pairs(class.instance) do meta[key] = value end
  local fields = setmetatable({training = true}, meta.below)
  meta.__index = meta.__index or fields
  local self = setmetatable({
    [PARAMETERS] = Registry.new(), [BUFFERS] = Registry.new(), [MODULES] = Registry.new(), [FIELDS] = fields,
  }, meta)
  self:init(...)
  return self
end

--- What constructing a module does; a class defines it, and may call that of the class above:
-- `Net.super.init(self, ...)`.
function Module:init() end

--- A new class below this one.
-- @tparam string name what `tostring` shows
-- @treturn table the class; call it to make a module, which runs `init(...)`
function Module:extend(name)
  if type(name) ~= "string" then error("extend: a name expected, got " .. type(name), 2) end
  local class = {name = name, super = self}
  class.instance = {
    class = class, is_module_class = true, below = {__index = class}, __newindex = newindex,
    __call = function(module, ...) return module:forward(...) end,
    __tostring = function(module) return module:describe() end,
  }
  return setmetatable(class, {__index = self, __call = construct})
end

--- What calling the module computes; a class must define it.
function Module:forward()
  error(("%s: the class defines no forward"):format(getmetatable(self).class.name), 2)
end

--- Registers a tensor that belongs to the module but is not trained.
-- @tparam string name
-- @param x a tensor or nil
-- @tparam[opt] table options `persistent` (true): false keeps it out of `state_dict`
function Module:register_buffer(name, x, options)
  options = args.options("register_buffer", options, {persistent = true})
  if type(name) ~= "string" then
    error("register_buffer: a name expected, got " .. type(name), 2)
  elseif x ~= nil and not core.is_tensor(x) then
    error(("register_buffer: a tensor or nil expected, got %s"):format(type(x)), 2)
  elseif self[name] ~= nil and self._buffers.values[name] == nil then
    error(("register_buffer: there is a field '%s' already"):format(tostring(name)), 2)
  end
  self._buffers:set(name, x)
  self._fields[name] = x
  self._buffers.passing[name] = options.persistent == false or nil
end

--- Registers a parameter under a name made at run time.
function Module:register_parameter(name, x)
  if type(name) ~= "string" then
    error("register_parameter: a name expected, got " .. type(name), 2)
  elseif x ~= nil and not is_parameter[x] then
    error(("register_parameter: a Parameter or nil expected, got a %s"):format(core.is_tensor(x)
      and "plain tensor" or type(x)), 2)
  end
  self[name] = x
end

-- Visits every module below (itself first) with its dotted prefix, each once.
local function walk(self, visit, prefix, seen)
  if seen[self] then return end
  seen[self] = true
  visit(self, prefix)
  for name, child in self._modules:each() do
    walk(child, visit, prefix .. name .. ".", seen)
  end
end

-- Iterates over `{name, value}` pairs.
local function iterate(pairs_list)
  local i = 0
  return function()
    i = i + 1
    if pairs_list[i] then return pairs_list[i][1], pairs_list[i][2] end
  end
end

local function collect(self, kind)
  local list, seen = {}, {}
  walk(self, function(module, prefix)
    for name, x in module[kind]:each() do
      if not seen[x] then
        seen[x] = true
        list[#list + 1] = {prefix .. name, x}
      end
    end
  end, "", {})
  return list
end

--- Iterates over `name, parameter`, in the order of registration, shared ones once.
function Module:named_parameters() return iterate(collect(self, PARAMETERS)) end

--- The parameters, in a table.
function Module:parameters()
  local list = {}
  for _, p in self:named_parameters() do list[#list + 1] = p end
  return list
end

--- Iterates over `name, buffer`.
function Module:named_buffers() return iterate(collect(self, BUFFERS)) end

--- The buffers, in a table.
function Module:buffers()
  local list = {}
  for _, b in self:named_buffers() do list[#list + 1] = b end
  return list
end

--- Iterates over `name, module`, itself first under the name "".
function Module:named_modules()
  local list = {}
  walk(self, function(module, prefix)
    list[#list + 1] = {(prefix:gsub("%.$", "")), module}
  end, "", {})
  return iterate(list)
end

--- All modules, itself first, in a table.
function Module:modules()
  local list = {}
  for _, m in self:named_modules() do list[#list + 1] = m end
  return list
end

--- The modules right below, in a table.
function Module:children()
  local list = {}
  for _, m in self._modules:each() do list[#list + 1] = m end
  return list
end

--- Iterates over `name, module` of the modules right below.
function Module:named_children() return self._modules:each() end

local function add_state(self, prefix, state)
  for _, kind in ipairs {PARAMETERS, BUFFERS} do
    local list = self[kind]
    for name, x in list:each() do
      if not list.passing[name] then state[prefix .. name] = x:detach() end
    end
  end
  for name, child in self._modules:each() do add_state(child, prefix .. name .. ".", state) end
  return state
end

--- The state: dotted name -> tensor without history, sharing memory with the module.  What is
-- shared stands under all its names.
function Module:state_dict() return add_state(self, "", {}) end

local function text_of_shape(x) return "[" .. table.concat(x.shape, ", ") .. "]" end

--- Copies a state into the module.  Missing, unexpected and mis-shaped entries are reported
-- together, and nothing is changed then.
-- @tparam table state dotted name -> tensor
-- @tparam[opt] table options `strict` (true): false lets missing and unexpected entries pass
-- @return the module
-- @treturn table `{missing_keys = {...}, unexpected_keys = {...}}`, what passed
function Module:load_state_dict(state, options)
  options = args.options("load_state_dict", options, {strict = true})
  local strict = options.strict ~= false
  if type(state) ~= "table" then
    error("load_state_dict: a table of tensors expected, got " .. type(state), 2)
  end
  local own, problems = self:state_dict(), {}
  local missing, unexpected = {}, {}
  for name, x in pairs(own) do
    local given = state[name]
    if given == nil then
      missing[#missing + 1] = name
    elseif not core.is_tensor(given) then
      problems[#problems + 1] = ("not a tensor: %s is a %s"):format(name, type(given))
    elseif text_of_shape(given) ~= text_of_shape(x) then
      problems[#problems + 1] = ("shape of %s: %s here, %s in the state")
        :format(name, text_of_shape(x), text_of_shape(given))
    end
  end
  for name in pairs(state) do
    if own[name] == nil then unexpected[#unexpected + 1] = tostring(name) end
  end
  table.sort(missing)
  table.sort(unexpected)
  if strict then
    for _, name in ipairs(missing) do problems[#problems + 1] = "missing: " .. name end
    for _, name in ipairs(unexpected) do problems[#problems + 1] = "unexpected: " .. name end
  end
  if #problems > 0 then
    table.sort(problems)
    error(("%s: load_state_dict:\n  %s"):format(getmetatable(self).class.name,
      table.concat(problems, "\n  ")), 2)
  end
  local before = core.set_grad_enabled(false)
  for name, x in pairs(own) do
    if state[name] then x:copy_(state[name]) end
  end
  core.set_grad_enabled(before)
  return self, {missing_keys = missing, unexpected_keys = unexpected}
end

--- Applies f to every module below, the children first.
function Module:apply(f)
  if type(f) ~= "function" then error("apply: a function expected, got " .. type(f), 2) end
  for _, child in self._modules:each() do child:apply(f) end
  f(self)
  return self
end

local float_dtypes = {float32 = true, float64 = true, float = true, double = true}
local other_dtypes = {int64 = true, long = true, bool = true}

-- Raises unless `target`, and `dtype` behind it where there is one, say where to go.
local function check_to(target, dtype)
  if type(target) ~= "string" or other_dtypes[target] then
    error(("to: a device or a float dtype expected, got %s"):format(type(target) == "string"
      and target or type(target)), 3)
  elseif dtype ~= nil and (float_dtypes[target] or not float_dtypes[dtype]) then
    error(("to: a device and a float dtype expected, got %s and %s"):format(target, tostring(dtype)), 3)
  end
end

--- Moves to a device, or converts float parameters and buffers to a dtype, or both.  The objects stay the
-- same, so that an optimiser made before keeps its parameters; gradients are dropped.
-- @tparam string target a device or a float dtype
-- @tparam[opt] string dtype behind a device
-- @return the module
function Module:to(target, dtype)
  check_to(target, dtype)
  for _, kind in ipairs {PARAMETERS, BUFFERS} do
    for _, entry in ipairs(collect(self, kind)) do
      local x = entry[2]
      local is_float, moved = float_dtypes[x.dtype], x:detach()
      if is_float or not float_dtypes[target] then moved = moved:to(target) end
      if is_float and dtype then moved = moved:to(dtype) end
      if moved.dtype ~= x.dtype or moved.device ~= x.device then core.set_data(x, moved) end
    end
  end
  return self
end

--- Moves to the CPU, as `to("cpu")`.
-- @return the module
function Module:cpu() return self:to("cpu") end

--- Moves to a CUDA device, as `to("cuda:0")`.
-- @tparam[opt=0] integer i the device's ordinal
-- @return the module
function Module:cuda(i) return self:to("cuda:" .. (i or 0)) end

--- Converts parameters and float buffers to float32.
-- @return the module
function Module:float() return self:to("float32") end

--- Converts parameters and float buffers to float64.
-- @return the module
function Module:double() return self:to("float64") end

--- Switches training mode on (true by default), here and below.
function Module:train(on)
  if on ~= nil and type(on) ~= "boolean" then
    error("train: true or false expected, got " .. type(on), 2)
  end
  for _, module in ipairs(self:modules()) do module.training = on ~= false end
  return self
end

--- Switches training mode off.
function Module:eval() return self:train(false) end

--- Sets every .grad to nil.
function Module:zero_grad()
  for _, p in ipairs(self:parameters()) do p.grad = nil end
end

--- Switches gradients of all parameters on or off.
function Module:requires_grad_(on)
  if on ~= nil and type(on) ~= "boolean" then
    error("requires_grad_: true or false expected, got " .. type(on), 2)
  end
  for _, p in ipairs(self:parameters()) do p:requires_grad_(on ~= false) end
  return self
end

--- What stands between the parentheses of `tostring`; a class may define it.
function Module:extra_repr() return "" end

--- The readable form: the class, its settings, the modules below.
function Module:describe()
  local name, extra, lines = getmetatable(self).class.name, self:extra_repr(), {}
  if extra ~= "" then lines[1] = "  " .. extra end
  for key, child in self._modules:each() do
    lines[#lines + 1] = ("  (%s): %s"):format(key, (tostring(child):gsub("\n", "\n  ")))
  end
  if #self._modules.names == 0 then return ("%s(%s)"):format(name, extra) end
  return ("%s(\n%s\n)"):format(name, table.concat(lines, "\n"))
end

local Base = Module.extend(Module, "Module")

return {Module = Base, Parameter = Parameter, is_module = is_module, class_name = class_name}
