--- Modules, layers and losses, as in `torch.nn`.
-- @module gru.nn
local module = require "gru.nn.module"

return {
  Module = module.Module,
  Parameter = module.Parameter,
  is_module = module.is_module,
  Linear = require "gru.nn.linear",
  GRU = require "gru.nn.gru",
  CrossEntropyLoss = require("gru.nn.loss").CrossEntropyLoss,
  functional = require "gru.nn.functional",
  init = require "gru.nn.initialise",
  utils = require "gru.nn.utils",
}
