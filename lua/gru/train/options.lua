--- The options of a Trainer: what they may be.
-- @module gru.train.options
local args = require "gru.args"
local core = require "gru.core"
local nn = require "gru.nn"

local function callable(x)
  local meta = getmetatable(x)
  return type(x) == "function" or type(x) == "table" and type(meta) == "table" and meta.__call ~= nil
end

local function name_of(x) return core.is_tensor(x) and "a tensor" or type(x) end

local function data_rule(x)
  return not callable(x) and "a DataLoader, or a function that returns an iterator over x, y"
end

-- Each gives what its value must be where it is not, or false.
local rules = {
  model = function(x) return not nn.is_module(x) and "a module" end,
  optimizer = function(x)
    return not (type(x) == "table" and x.param_groups and x.step) and "an optimiser"
  end,
  loss = function(x) return not callable(x) and "a function or a loss module" end,
  data = data_rule,
  validation = data_rule,
  stateful = function(x)
    return x ~= false and x ~= "epoch" and x ~= "run" and 'false, "epoch" or "run"'
  end,
  clip = function(x)
    if type(x) == "table" then
      local key, limit = next(x)
      if (key == "norm" or key == "value") and next(x, key) == nil then x = limit end
    end
    return not (type(x) == "number" and x >= 0)
      and "a number from 0 on (the norm), {norm = number} or {value = number}"
  end,
  scheduler = function(x) return not (type(x) == "table" and x.optimizer and x.step) and "a scheduler" end,
  schedule = function(x) return x ~= "epoch" and x ~= "batch" and '"epoch" or "batch"' end,
  evaluate = function(x) return not callable(x) and "a function" end,
  checkpoint = function(x)
    return type(x) ~= "string" and type(x) ~= "table" and "a path, or {path = ...}"
  end,
  metadata = function(x) return (type(x) ~= "table" or getmetatable(x)) and "a plain table" end,
  on_epoch = function(x) return not callable(x) and "a function" end,
  progress = function(x) return type(x) ~= "boolean" and "true or false" end,
}

local required = {"model", "loss", "optimizer", "data"}

local checkpoint_rules = {
  path = function(x) return (type(x) ~= "string" or x == "") and "a string" end,
  every = function(x) return (math.type(x) ~= "integer" or x < 1) and "a positive integer" end,
  best = function(x) return type(x) ~= "string" and "the name of a number of the record" end,
  mode = function(x) return x ~= "min" and x ~= "max" and '"min" or "max"' end,
  best_path = function(x) return (type(x) ~= "string" or x == "") and "a string" end,
}

-- Raises where a value breaks its rule; `level` is that of who called Trainer.
local function check(given, by_name, prefix, level)
  args.options("Trainer", given, by_name, level + 1)
  for name, rule in pairs(by_name) do
    local wanted = given[name] ~= nil and rule(given[name])
    if wanted then
      local got = given[name]
      if type(got) == "table" or type(got) == "userdata" or type(got) == "function" then
        got = name_of(got)
      end
      error(("Trainer: %s%s must be %s, got %s"):format(prefix, name, wanted, tostring(got)), level)
    end
  end
end

-- {path, every, best, mode, best_path}, complete.
local function read_checkpoint(given)
  if type(given) == "string" then given = {path = given} end
  check(given, checkpoint_rules, "checkpoint.", 5)
  local path, best = given.path, given.best
  if not path then error("Trainer: checkpoint.path expected", 4) end
  for _, name in ipairs {"mode", "best_path"} do
    if given[name] ~= nil and not best then
      error(("Trainer: checkpoint.%s wants checkpoint.best"):format(name), 4)
    end
  end
  local stem, ending = path:match "^(.*[^/])(%.[^./]*)$"
  return {
    path = path, every = given.every or 1, best = best, mode = given.mode or "min",
    best_path = given.best_path or (stem or path) .. ".best" .. (ending or ""),
  }
end

--- Reads the options of a Trainer; raises where one is wrong.
-- @tparam table given
-- @treturn table all of them, complete; `checkpoint` is nil or a table
return function(given)
  if type(given) ~= "table" or getmetatable(given) then
    error("Trainer: a table of options expected, got "
      .. (type(given) == "table" and "an object" or name_of(given)), 3)
  end
  check(given, rules, "", 4)
  for _, name in ipairs(required) do
    if given[name] == nil then error(("Trainer: %s expected"):format(name), 3) end
  end
  local options = {stateful = false, schedule = "epoch"}
  for name, value in pairs(given) do options[name] = value end
  local scheduler = given.scheduler
  if given.schedule and not scheduler then error("Trainer: schedule wants a scheduler", 3) end
  if scheduler and scheduler.optimizer ~= given.optimizer then
    error("Trainer: the scheduler has another optimizer", 3)
  elseif scheduler and options.schedule == "batch" and scheduler.num_bad_epochs then
    error("Trainer: a scheduler that steps with a number steps by epochs, not by batches", 3)
  end
  if type(given.clip) == "number" then options.clip = {norm = given.clip} end
  if given.metadata and not given.checkpoint then error("Trainer: metadata want a checkpoint", 3) end
  options.checkpoint = given.checkpoint and read_checkpoint(given.checkpoint)
  return options
end
