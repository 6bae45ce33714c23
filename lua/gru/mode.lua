--- Grad mode: scopes in which nothing, or everything, is recorded.
--
-- A scope is a to-be-closed value, or takes a function:
--
--     do
--       local _ <close> = gru.no_grad()
--       ...
--     end
--     local y = gru.no_grad(function() return model(x) end)
--
-- The mode belongs to the coroutine.
-- @module gru
local core = require "gru.core"

local mode = {}

local Scope = {
  __close = function(self) core.set_grad_enabled(self.before) end,
  __name = "gru.GradScope",
}

local function callable(f) return type(f) == "function" or (getmetatable(f) or {}).__call ~= nil end

local function scope(enabled, f, ...)
  if f ~= nil and not callable(f) then
    error((enabled and "enable_grad" or "no_grad") .. ": a function or nothing expected, got " .. type(f), 3)
  end
  local guard = setmetatable({before = core.set_grad_enabled(enabled)}, Scope)
  if not f then return guard end
  local _ <close> = guard
  return (function(...) return ... end)(f(...))
end

--- Switches recording off in a scope, or while `f(...)` runs, whose results it returns.
-- @function no_grad
-- @tparam[opt] function f or a module
-- @param ... its arguments
-- @return what f returns; without f, a to-be-closed value
-- @usage local z = gru.no_grad(function() return x * 2 end)
function mode.no_grad(f, ...) return scope(false, f, ...) end

--- Switches recording on, as `no_grad` switches it off.
-- @function enable_grad
-- @tparam[opt] function f or a module
-- @param ... its arguments
-- @return what f returns; without f, a to-be-closed value
function mode.enable_grad(f, ...) return scope(true, f, ...) end

--- Are operations recorded now?
-- @function is_grad_enabled
mode.is_grad_enabled = core.is_grad_enabled

--- Sets the mode for good; returns the old one.
-- @function set_grad_enabled
mode.set_grad_enabled = core.set_grad_enabled

--- Anomaly mode: backward stops at the first NaN that a gradient turns out to be, and says which op
-- it was and where the script called it.  It costs time.
-- @function set_anomaly_mode
-- @tparam boolean on
mode.set_anomaly_mode = core.set_anomaly_mode

--- Is anomaly mode on?
-- @function is_anomaly_mode
mode.is_anomaly_mode = core.is_anomaly_mode

-- Takes the tensors that can be reached from a value out of `made`.
local function spare(value, made, seen)
  if core.is_tensor(value) then
    made[value] = nil
    return value
  end
  if type(value) ~= "table" or seen[value] then return end
  seen[value] = true
  for k, v in next, value do
    spare(k, made, seen)
    spare(v, made, seen)
  end
end

--- Runs `f(...)` and releases the tensors that were made in it, but for those it returns (also inside
-- tables and modules).  What a gradient, a parameter, the tape or an optimiser holds lives on.  Using
-- a released tensor raises an error.
-- @function scope
-- @tparam function f
-- @param ... its arguments
-- @return its results
-- @usage local loss = gru.scope(function() return step(x, y):item() end)
function mode.scope(f, ...)
  if type(f) ~= "function" then error("scope: a function expected, got " .. type(f), 2) end
  core.scope_open()
  local results = table.pack(pcall(f, ...))
  local made, kept, seen = core.scope_close(), {}, {}
  for x in pairs(made) do kept[x] = true end
  if results[1] then
    for i = 2, results.n do spare(results[i], made, seen) end
  end
  for x in pairs(made) do
    kept[x] = nil
    core.release(x)
  end
  for x in pairs(kept) do core.note(x) end -- an outer scope may release them
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

return mode
