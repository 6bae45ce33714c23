--- Schedules of learning rates, as in `torch.optim.lr_scheduler`.
--
--     local scheduler = optim.lr_scheduler.StepLR(optimizer, 30, {gamma = 0.5})
--     for epoch = 1, 100 do
--       train()                       -- optimizer:step() for every batch
--       scheduler:step()
--     end
--
-- Arguments stand in PyTorch's order, or in a table by name at the end.
-- @module gru.optim.lr_scheduler
local decay = require "gru.optim.lr_scheduler.decay"
local warmup = require "gru.optim.lr_scheduler.warmup"

return {
  Scheduler = require "gru.optim.lr_scheduler.scheduler",
  StepLR = decay.StepLR,
  MultiStepLR = decay.MultiStepLR,
  ExponentialLR = decay.ExponentialLR,
  LambdaLR = decay.LambdaLR,
  ConstantLR = warmup.ConstantLR,
  LinearLR = warmup.LinearLR,
  CosineAnnealingLR = require "gru.optim.lr_scheduler.cosine",
  OneCycleLR = require "gru.optim.lr_scheduler.one_cycle",
  ReduceLROnPlateau = require "gru.optim.lr_scheduler.plateau",
  SequentialLR = require "gru.optim.lr_scheduler.sequential",
}
