--- Losses as modules; the formulas stand at the functions of `gru.nn.losses`.
--
-- Class weights (`weight`, `pos_weight`) are buffers, as in PyTorch: they move with the module and
-- are part of its state.
-- @module gru.nn.loss
local core = require "gru.core"
local functional = require "gru.nn.functional"
local module = require "gru.nn.module"

local class_name = module.class_name
local loss = {}

local Loss = module.Module:extend("Loss")

local buffers = {weight = true, pos_weight = true}

function Loss:init(options)
  options = options or {}
  if type(options) ~= "table" or core.is_tensor(options) then
    error(("%s: options must be a table, got %s"):format(class_name(self), core.is_tensor(options)
      and "a tensor" or type(options)), 3)
  end
  self.options = {}
  for key, value in pairs(options) do
    if not self.known[key] then
      error(("%s: unknown option '%s'"):format(class_name(self), tostring(key)), 3)
    end
    if buffers[key] then
      if not core.is_tensor(value) then
        error(("%s: %s must be a tensor, got %s"):format(class_name(self), key, type(value)), 3)
      end
      self:register_buffer(key, value)
    else
      self.options[key] = value
    end
  end
  local reduction = options.reduction
  if reduction and reduction ~= "mean" and reduction ~= "sum" and reduction ~= "none"
    and not (reduction == "batchmean" and self.known.log_target) then
    error(("%s: reduction must be mean, sum or none, got '%s'"):format(class_name(self),
      tostring(reduction)), 3)
  end
end

function Loss:forward(input, target)
  local options = {}
  for key, value in pairs(self.options) do options[key] = value end
  for key in pairs(buffers) do
    if self.known[key] then options[key] = self[key] end
  end
  return self.compute(input, target, options)
end

function Loss:extra_repr()
  local text = {}
  for key, value in pairs(self.options) do text[#text + 1] = ("%s=%s"):format(key, tostring(value)) end
  table.sort(text)
  return table.concat(text, ", ")
end

-- Makes the class `name`, which calls `compute`.
local function define(name, compute, known)
  local class = Loss:extend(name)
  class.compute, class.known = compute, {reduction = true}
  for _, key in ipairs(known) do class.known[key] = true end
  loss[name] = class
end

--- Options `weight` (C), `ignore_index` (-100), `reduction` ("mean"), `label_smoothing` (0).
-- @function CrossEntropyLoss
-- @tparam[opt] table options
-- @see gru.nn.losses.cross_entropy
-- @usage local loss = nn.CrossEntropyLoss()(logits, targets)
define("CrossEntropyLoss", functional.cross_entropy, {"weight", "ignore_index", "label_smoothing"})

--- Options `weight` (C), `ignore_index` (-100), `reduction` ("mean").
-- @function NLLLoss
-- @tparam[opt] table options
-- @see gru.nn.losses.nll_loss
define("NLLLoss", functional.nll_loss, {"weight", "ignore_index"})

--- Options `reduction` ("mean").
-- @function MSELoss
-- @tparam[opt] table options
-- @see gru.nn.losses.mse_loss
define("MSELoss", functional.mse_loss, {})

--- Options `reduction` ("mean").
-- @function L1Loss
-- @tparam[opt] table options
-- @see gru.nn.losses.l1_loss
define("L1Loss", functional.l1_loss, {})

--- Options `beta` (1), `reduction` ("mean").
-- @function SmoothL1Loss
-- @tparam[opt] table options
-- @see gru.nn.losses.smooth_l1_loss
define("SmoothL1Loss", functional.smooth_l1_loss, {"beta"})

--- Options `delta` (1), `reduction` ("mean").
-- @function HuberLoss
-- @tparam[opt] table options
-- @see gru.nn.losses.huber_loss
define("HuberLoss", functional.huber_loss, {"delta"})

--- Options `weight` (broadcast), `reduction` ("mean").
-- @function BCELoss
-- @tparam[opt] table options
-- @see gru.nn.losses.binary_cross_entropy
define("BCELoss", functional.binary_cross_entropy, {"weight"})

--- Options `weight` and `pos_weight` (broadcast), `reduction` ("mean").
-- @function BCEWithLogitsLoss
-- @tparam[opt] table options
-- @see gru.nn.losses.binary_cross_entropy_with_logits
define("BCEWithLogitsLoss", functional.binary_cross_entropy_with_logits, {"weight", "pos_weight"})

--- Options `reduction` ("mean", also "batchmean"), `log_target` (false).
-- @function KLDivLoss
-- @tparam[opt] table options
-- @see gru.nn.losses.kl_div
define("KLDivLoss", functional.kl_div, {"log_target"})

return loss
