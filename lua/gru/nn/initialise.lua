--- Initialisation in place, as in `torch.nn.init`; nothing is recorded.
-- @module gru.nn.init
local core = require "gru.core"

local init = {}

local function unrecorded(f)
  return function(x, ...)
    local before = core.set_grad_enabled(false)
    local ok, message = pcall(f, x, ...)
    core.set_grad_enabled(before)
    if not ok then error(message, 2) end
    return x
  end
end

--- Uniform from [low, high), [0, 1) by default.
init.uniform_ = unrecorded(function(x, low, high) x:uniform_(low or 0, high or 1) end)
--- Normal, mean 0 and standard deviation 1 by default.
init.normal_ = unrecorded(function(x, mean, std) x:normal_(mean or 0, std or 1) end)
--- One value everywhere.
init.constant_ = unrecorded(function(x, value) x:fill_(value) end)
init.zeros_ = unrecorded(function(x) x:fill_(0) end)
init.ones_ = unrecorded(function(x) x:fill_(1) end)

return init
