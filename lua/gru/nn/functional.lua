--- Layers and losses as functions, as in `torch.nn.functional`.
-- @module gru.nn.functional
local core = require "gru.core"

local functional = {}

--- x W^T + b
-- @param x (..., in)
-- @param weight (out, in)
-- @param[opt] bias (out)
function functional.linear(x, weight, bias)
  local y = core.functions.matmul(x, weight:t())
  return bias and y + bias or y
end

for _, name in ipairs {"sigmoid", "tanh", "relu", "softplus", "silu", "softmax", "log_softmax",
                       "one_hot", "embedding"} do
  functional[name] = core.functions[name]
end

local known = {weight = true, ignore_index = true, reduction = true, label_smoothing = true}

--- Cross-entropy of logits against class ids (PyTorch's `cross_entropy`).
--
-- With C classes, weights w and smoothing e, a row costs
-- -(1 - e) w[t] log p[t] - (e / C) sum_c w[c] log p[c]; "mean" divides the sum by the sum of w[t]
-- over the rows that are not ignored.
-- @param input logits (N, C), (C), or (N, C, d1, ...)
-- @param target int64 class ids from 1 on: (N), (), or (N, d1, ...)
-- @tparam[opt] table options `weight` (C), `ignore_index`, `reduction` ("mean", "sum", "none"),
-- `label_smoothing` (0)
function functional.cross_entropy(input, target, options)
  options = options or {}
  for key in pairs(options) do
    if not known[key] then error(("cross_entropy: unknown option '%s'"):format(key), 2) end
  end
  local reduction = options.reduction or "mean"
  if reduction ~= "mean" and reduction ~= "sum" and reduction ~= "none" then
    error(("cross_entropy: reduction must be mean, sum or none, got '%s'")
      :format(tostring(reduction)), 2)
  end
  local shape = nil
  if input:dim() > 2 then -- the class dim goes last, the others into rows
    shape = target.shape
    local order = {1}
    for d = 3, input:dim() do order[#order + 1] = d end
    order[#order + 1] = 2
    input = input:permute(order):reshape(-1, input:size(2))
    target = target:reshape(-1)
  end
  local loss = core.cross_entropy(input, target, options.weight, options.ignore_index, reduction,
    options.label_smoothing or 0)
  return shape and reduction == "none" and loss:reshape(shape) or loss
end

return functional
