--- Modules that hold others in order, as `torch.nn.Sequential` and `torch.nn.ModuleList`.
--
-- Positions count from 1 in Lua (`list[1]` is the first module, `list[-1]` the last), as everywhere;
-- the *names* count from 0 ("0", "1", ...), so that the keys of `state_dict` are PyTorch's.
-- @module gru.nn.container
local module = require "gru.nn.module"

local class_name = module.class_name
local Container = module.Module:extend("Container")

-- The registered name of a position, or nil where there is none.
local function name_at(self, i)
  local n = #self._modules.names
  if i < 0 then i = i + n + 1 end
  return self._modules.names[i]
end

-- Positions and `#` work on instances; a class below has them, too.
local function install(instance)
  local newindex = instance.__newindex
  instance.__len = function(self) return #self._modules.names end
  instance.__index = function(self, key)
    if math.type(key) ~= "integer" then return self._fields[key] end
    local name = name_at(self, key)
    return name and self._modules.values[name]
  end
  instance.__newindex = function(self, key, value)
    if math.type(key) ~= "integer" then return newindex(self, key, value) end
    local name = name_at(self, key)
    if not name or not module.is_module(value) then
      error(("%s: [%d] = %s: a module expected, at 1 .. %d; append adds one"):format(class_name(self), key,
        type(value), #self), 2)
    end
    newindex(self, name, value)
  end
end

--- A new class below this one.
-- @tparam string name
-- @treturn table the class
function Container:extend(name)
  local class = module.Module.extend(self, name)
  install(class.instance)
  return class
end

install(Container.instance)

local function check(self, x, level)
  if not module.is_module(x) then
    error(("%s: a module expected, got %s"):format(class_name(self), type(x)), level + 1)
  end
end

--- Adds a module at the end.
-- @param x a module
-- @return the container
function Container:append(x)
  check(self, x, 2)
  self[tostring(#self)] = x
  return self
end

--- Puts a module before position `i`, from 1 to the number of modules + 1; later ones move up.
-- @tparam integer i
-- @param x a module
-- @return the container
function Container:insert(i, x)
  check(self, x, 2)
  local n = #self
  if math.type(i) ~= "integer" or i == 0 or i > n + 1 or i < -n then
    error(("%s: insert at %s: positions are 1 .. %d"):format(class_name(self), tostring(i), n + 1), 2)
  end
  if i < 0 then i = i + n + 1 end
  local list = self:children()
  table.insert(list, i, x)
  for k, child in ipairs(list) do self[tostring(k - 1)] = child end
  return self
end

--- Adds the modules of a table, or of another container, at the end.
-- @tparam table list
-- @return the container
function Container:extend_with(list)
  if type(list) ~= "table" then
    error(("%s: extend_with: a table of modules expected, got %s"):format(self.name, type(list)), 2)
  end
  for _, x in ipairs(list) do
    check(self, x, 2)
    self[tostring(#self)] = x
  end
  return self
end

-- What a container is made of: its arguments, or one table of them.
local function arguments(...)
  local first = ...
  if select("#", ...) == 1 and type(first) == "table" and not module.is_module(first) then
    return first
  end
  return {...}
end

--- Calls modules one after the other.
--
-- @function Sequential
-- @param ... modules, or one table of them, or a table of {name, module} pairs where PyTorch has an
-- OrderedDict: `nn.Sequential{{"fc", nn.Linear(2, 3)}, {"act", nn.ReLU()}}`
-- @usage local net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
-- print(net[1].weight, net:state_dict()["0.weight"])
local Sequential = Container:extend("Sequential")

function Sequential:init(...)
  for _, x in ipairs(arguments(...)) do
    if type(x) == "table" and not module.is_module(x) then
      check(self, x[2], 3)
      self[tostring(x[1])] = x[2]
    else
      check(self, x, 3)
      self[tostring(#self)] = x
    end
  end
end

--- @param ... what the first module takes; each other one gets the first result of the one before
-- @return what the last module gives
function Sequential:forward(...)
  local n = #self
  if n <= 1 then
    if n == 0 then return ... end
    return self[1](...)
  end
  local x = self[1](...)
  for i = 2, n - 1 do x = self[i](x) end
  return self[n](x)
end

--- Modules in a list, which are registered; the class above says how to call them.
--
-- @function ModuleList
-- @tparam[opt] table modules
-- @usage self.layers = nn.ModuleList{nn.Linear(3, 4), nn.Linear(4, 4)}
-- for i, layer in ipairs(self.layers) do x = layer(x) end
local ModuleList = Container:extend("ModuleList")

function ModuleList:init(...)
  for _, x in ipairs(arguments(...)) do
    check(self, x, 3)
    self[tostring(#self)] = x
  end
end

return {Sequential = Sequential, ModuleList = ModuleList}
