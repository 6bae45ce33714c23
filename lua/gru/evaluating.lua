--- The scope in which a model is looked at, not trained: nothing is recorded, and modules are in
-- evaluation mode.  Closing it puts everything back, module by module.
--
--     local _ <close> = evaluating(model:modules())
-- @module gru.evaluating
local core = require "gru.core"

local Scope = {
  __name = "gru.EvaluatingScope",
  __close = function(self)
    for _, module in ipairs(self.training) do module.training = true end
    core.set_grad_enabled(self.grad)
  end,
}

-- modules: a list, such as `modules()` gives; may be empty.
return function(modules)
  local training = {}
  for _, module in ipairs(modules) do
    if module.training then
      training[#training + 1] = module
      module.training = false
    end
  end
  return setmetatable({training = training, grad = core.set_grad_enabled(false)}, Scope)
end
