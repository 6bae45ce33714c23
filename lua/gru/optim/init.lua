--- Optimisers, as in `torch.optim`.
-- @module gru.optim
return {
  Optimizer = require "gru.optim.optimizer",
  SGD = require "gru.optim.sgd",
  Adam = require "gru.optim.adam",
}
