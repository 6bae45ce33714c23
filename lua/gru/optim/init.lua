--- Optimisers, as in `torch.optim`; `optim.lr_scheduler` changes their rates.
-- @module gru.optim
return {
  Optimizer = require "gru.optim.optimizer",
  SGD = require "gru.optim.sgd",
  Adam = require "gru.optim.adam",
  AdamW = require "gru.optim.adamw",
  RMSprop = require "gru.optim.rmsprop",
  Adagrad = require "gru.optim.adagrad",
  Adadelta = require "gru.optim.adadelta",
  lr_scheduler = require "gru.optim.lr_scheduler",
}
