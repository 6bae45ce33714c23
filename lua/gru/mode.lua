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

local function scope(enabled, f, ...)
  if f ~= nil and type(f) ~= "function" then
    error("no_grad, enable_grad: a function or nothing expected, got " .. type(f), 3)
  end
  local guard = setmetatable({before = core.set_grad_enabled(enabled)}, Scope)
  if not f then return guard end
  local _ <close> = guard
  return (function(...) return ... end)(f(...))
end

--- Switches recording off in a scope, or while `f(...)` runs, whose results it returns.
function mode.no_grad(f, ...) return scope(false, f, ...) end

--- Switches recording on, as `no_grad` switches it off.
function mode.enable_grad(f, ...) return scope(true, f, ...) end

--- Are operations recorded now?
-- @function is_grad_enabled
mode.is_grad_enabled = core.is_grad_enabled

--- Sets the mode for good; returns the old one.
-- @function set_grad_enabled
mode.set_grad_enabled = core.set_grad_enabled

return mode
