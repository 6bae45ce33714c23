--- Modules, layers and losses, as in `torch.nn`.
-- @module gru.nn
local args = require "gru.args"
local module = require "gru.nn.module"

local nn = {
  Module = module.Module,
  Parameter = module.Parameter,
  is_module = module.is_module,
  Linear = require "gru.nn.linear",
  Embedding = require "gru.nn.embedding",
  LayerNorm = require "gru.nn.layer_norm",
  RNN = require "gru.nn.rnn",
  LSTM = require "gru.nn.lstm",
  GRU = require "gru.nn.gru",
  functional = args.bound(require "gru.nn.functional"),
  init = args.bound(require "gru.nn.initialise"),
  utils = args.bound(require "gru.nn.utils"),
}

-- Files that define several classes.
for _, name in ipairs {"activation", "cell", "container", "loss", "simple"} do
  for class_name, class in pairs(require("gru.nn." .. name)) do nn[class_name] = class end
end

return nn
