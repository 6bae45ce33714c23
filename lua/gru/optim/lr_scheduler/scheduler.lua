--- What schedulers share: arguments, epochs, state_dict.
--
-- A scheduler changes `lr` in the groups of an optimiser.  Making one takes the first step, so that
-- epoch 0 is in force at once; `step` is called after every epoch (or batch), when the optimiser
-- has stepped.
--
-- A kind of scheduler has
--
-- * `check()`, which returns what is wrong with the arguments (fields by now), or nil;
-- * `next_rate(epoch, group, base, i)`, the rate of group i for `epoch`, from the rate in force,
--   group.lr: changes of it from outside last;
-- * `rate_at(epoch, base)`, where there is one, the same from the initial rate `base` alone.
--
-- `base` is nil for a group that joined later; a rate of nil leaves the group as it is.
-- @module gru.optim.lr_scheduler.scheduler
local Scheduler = {}

-- Plain data, copied; objects are not.
local function copy_of(value)
  if type(value) ~= "table" or getmetatable(value) then return value end
  local copy = {}
  for k, v in pairs(value) do copy[k] = copy_of(v) end
  return copy
end

-- Tables with a first element are arguments, and so are objects; others hold options by name.
local function is_options(value)
  return type(value) == "table" and value[1] == nil and not getmetatable(value)
end

-- Reads `(10, 0.5, {last_epoch = 3})` into a table by name.
-- @return nil and what is wrong
local function read(arguments, ...)
  local given, n, last = {}, select("#", ...), (select(-1, nil, ...))
  local options = n > 0 and is_options(last) and last or {}
  if options == last then n = n - 1 end
  if n > #arguments then return nil, ("%d arguments at most, got %d"):format(#arguments, n) end
  for i = 1, n do given[arguments[i].name] = (select(i, ...)) end
  for key, value in pairs(options) do
    if not arguments[key] then
      local names = {}
      for _, argument in ipairs(arguments) do names[#names + 1] = argument.name end
      return nil, ("unknown option '%s'; there are: %s"):format(tostring(key),
        table.concat(names, ", "))
    elseif given[key] ~= nil then
      return nil, key .. " is given twice"
    end
    given[key] = value
  end
  return given
end

-- What is wrong with the kind of a value, or nil.
local function wrong_kind(name, value, kind)
  local fits = type(value) == kind or kind == "any"
  if kind == "integer" then fits = math.type(value) == "integer" end
  if kind == "number" and value ~= value then fits = false end
  if not fits then
    local article = kind == "integer" and "an" or "a"
    return ("%s must be %s %s, got %s"):format(name, article, kind,
      type(value) == "number" and tostring(value) or type(value))
  end
end

local function is_optimizer(x)
  return type(x) == "table" and type(x.param_groups) == "table" and type(x.defaults) == "table"
end

-- Sets the fields of a new scheduler; returns what is wrong.
local function build(self, optimizer, ...)
  if not is_optimizer(optimizer) then return "an optimiser expected, got " .. type(optimizer) end
  local given, problem = read(self.arguments, ...)
  if not given then return problem end
  self.optimizer = optimizer
  for _, argument in ipairs(self.arguments) do
    local name, value = argument.name, given[argument.name]
    if value == nil then value = argument.default end
    if value == nil and not argument.optional then return name .. " expected" end
    problem = value ~= nil and wrong_kind(name, value, argument.kind)
    if problem then return problem end
    self[name] = copy_of(value)
  end
  return self:check() or self:start()
end

--- A new kind of scheduler.
-- @tparam string name
-- @tparam table arguments in their order, each `{name, kind, default}`; without a default it must be
-- given, unless it is `optional`.  The kind is what `type` says, "integer" or "any".
function Scheduler.extend(name, arguments)
  if type(name) ~= "string" or type(arguments) ~= "table" then
    error("Scheduler.extend: a name and a table of arguments expected, got "
      .. type(type(name) == "string" and arguments or name), 2)
  end
  local class = {name = name, arguments = {}}
  for i, row in ipairs(arguments) do
    local argument = {name = row[1], kind = row[2], default = row[3], optional = row.optional}
    class.arguments[i], class.arguments[argument.name] = argument, argument
  end
  class.__index = class
  return setmetatable(class, {
    __index = Scheduler,
    __call = function(_, optimizer, ...)
      local self = setmetatable({}, class)
      local problem = build(self, optimizer, ...)
      if problem then error(name .. ": " .. problem, 2) end
      return self
    end,
  })
end

-- The last argument of most: the epoch that a run stopped at, to go on after it.
Scheduler.LAST_EPOCH = {"last_epoch", "integer", -1}

-- Fields that are not part of the state.
Scheduler.unsaved = {optimizer = true}

function Scheduler.check() end

--- Takes the first step; returns what is wrong.
function Scheduler:start()
  self.base_lrs = {}
  for i, group in ipairs(self.optimizer.param_groups) do
    if self.last_epoch == -1 then
      group.initial_lr = group.initial_lr or group.lr
    elseif not group.initial_lr then
      return ("group %d has no initial_lr, which last_epoch = %d wants; load the optimiser's state "
        .. "first, or give it in the group"):format(i, self.last_epoch)
    end
    self.base_lrs[i] = group.initial_lr
  end
  self._step_count = 0
  self:step()
end

--- Goes on to the next epoch and sets the rates of all groups.
-- @tparam[opt] integer epoch go to this one instead
function Scheduler:step(epoch)
  local problem = epoch ~= nil and wrong_kind("epoch", epoch, "integer")
  if problem then error(("%s: step: %s"):format(self.name, problem), 2) end
  local to, groups, rates = epoch or self.last_epoch + 1, self.optimizer.param_groups, {}
  for i, group in ipairs(groups) do
    local base = self.base_lrs[i]
    if epoch and self.rate_at then
      rates[i] = base and self:rate_at(to, base)
    else
      rates[i] = self:next_rate(to, group, base, i)
    end
  end
  self.last_epoch, self._step_count = to, self._step_count + 1
  self._last_lr = {}
  for i, group in ipairs(groups) do
    group.lr = rates[i] or group.lr
    self._last_lr[i] = group.lr
  end
end

--- The rates that the last step left, one a group.
-- @treturn table numbers
function Scheduler:get_last_lr() return copy_of(self._last_lr) end

--- The state as a plain table: epoch, initial and last rates, and the arguments but functions.  The
-- rates in force are in the optimiser's own state.
function Scheduler:state_dict()
  local out = {}
  for key, value in pairs(self) do
    if not self.unsaved[key] then out[key] = copy_of(value) end
  end
  return out
end

--- Takes over a state that `state_dict` gave; load the optimiser's, too.
function Scheduler:load_state_dict(saved)
  local own, problem = self:state_dict(), nil
  if type(saved) ~= "table" or math.type(saved.last_epoch) ~= "integer" then
    problem = "what state_dict gave expected"
  else
    for key, value in pairs(own) do
      if saved[key] == nil then
        problem = key .. " is missing"
      elseif type(saved[key]) ~= type(value) then
        problem = ("%s must be a %s, got %s"):format(key, type(value), type(saved[key]))
      end
    end
  end
  if problem then error(("%s: load_state_dict: %s"):format(self.name, problem), 2) end
  for key in pairs(own) do self[key] = copy_of(saved[key]) end
end

--- What is wrong with a number that must lie in lowest .. highest (or has no highest), or nil.
function Scheduler.wrong(name, value, lowest, highest)
  if value < lowest or value > (highest or math.huge) then
    local range = highest and ("in %g .. %g"):format(lowest, highest) or (">= %g"):format(lowest)
    return ("%s must be %s, got %s"):format(name, range, value)
  end
end

--- One value a group, of a number for all or a table with one for each.
-- @return nil and what is wrong
function Scheduler:per_group(name, value)
  local n, list = #self.optimizer.param_groups, {}
  for i = 1, type(value) == "table" and #value or n do
    list[i] = type(value) == "table" and value[i] or value
    local problem = wrong_kind(name, list[i], "number")
    if problem then return nil, problem end
  end
  if #list ~= n then return nil, ("%s has %d values for %d groups"):format(name, #list, n) end
  return list
end

return Scheduler
