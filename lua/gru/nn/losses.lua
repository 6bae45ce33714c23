--- Losses as functions; they are fields of `gru.nn.functional`.
--
-- `reduction` is "mean" (over all elements where nothing else is said), "sum" or "none".
-- @module gru.nn.losses
local core = require "gru.core"

local losses = {}
local ops = core.functions

local function shape_text(x) return "[" .. table.concat(x.shape, ", ") .. "]" end

-- Checks the option table; returns it and the reduction.
local function read(name, options, known, reductions)
  if options ~= nil and (type(options) ~= "table" or core.is_tensor(options)) then
    error(("%s: options must be a table, got %s"):format(name, type(options)), 3)
  end
  options = options or {}
  for key in pairs(options) do
    if key ~= "reduction" and not known[key] then
      error(("%s: unknown option '%s'"):format(name, tostring(key)), 3)
    end
  end
  local reduction = options.reduction or "mean"
  if reduction ~= "mean" and reduction ~= "sum" and reduction ~= "none"
    and not (reductions and reductions[reduction]) then
    error(("%s: reduction must be mean, sum or none, got '%s'"):format(name, tostring(reduction)), 3)
  end
  return options, reduction
end

local function check_tensors(name, input, target)
  for what, x in pairs {input = input, target = target} do
    if not core.is_tensor(x) then
      error(("%s: %s must be a tensor, got %s"):format(name, what, type(x)), 3)
    end
  end
  if input == nil or target == nil then
    error(("%s: an input and a target tensor expected"):format(name), 3)
  end
end

-- A weight of elements or classes: a tensor or nil.
local function check_weight(name, what, weight)
  if weight ~= nil and not core.is_tensor(weight) then
    error(("%s: %s must be a tensor, got %s"):format(name, what, type(weight)), 3)
  end
end

local function check_same_shape(name, input, target)
  if shape_text(input) ~= shape_text(target) then
    error(("%s: input %s and target %s must have the same shape"):format(name, shape_text(input),
      shape_text(target)), 3)
  end
end

local function reduce(x, reduction)
  if reduction == "none" then return x end
  return reduction == "sum" and x:sum() or x:mean()
end

-- ---- distances ------------------------------------------------------------------------------

-- input - target; PyTorch warns, too, where the shapes differ and are broadcast.
local function difference(name, input, target)
  if shape_text(input) ~= shape_text(target) then
    warn(("%s: input %s and target %s are broadcast: give them the same shape"):format(name,
      shape_text(input), shape_text(target)))
  end
  return input - target
end

--- (x - y)^2
-- @param input any shape
-- @param target of the same shape
-- @tparam[opt] table options `reduction`
function losses.mse_loss(input, target, options)
  local _, reduction = read("mse_loss", options, {})
  check_tensors("mse_loss", input, target)
  return reduce(difference("mse_loss", input, target):square(), reduction)
end

--- |x - y|
-- @param input any shape
-- @param target of the same shape
-- @tparam[opt] table options `reduction`
function losses.l1_loss(input, target, options)
  local _, reduction = read("l1_loss", options, {})
  check_tensors("l1_loss", input, target)
  return reduce(difference("l1_loss", input, target):abs(), reduction)
end

--- d^2 / (2 beta) where d = |x - y| is below beta, else d - beta / 2 (Girshick 2015).
-- @param input any shape
-- @param target of the same shape
-- @tparam[opt] table options `beta` (1; 0 is `l1_loss`), `reduction`
function losses.smooth_l1_loss(input, target, options)
  local reduction, beta
  options, reduction = read("smooth_l1_loss", options, {beta = true})
  check_tensors("smooth_l1_loss", input, target)
  beta = options.beta or 1
  if type(beta) ~= "number" or not (beta >= 0) then
    error(("smooth_l1_loss: beta must not be negative, got %s"):format(tostring(beta)), 2)
  end
  local d = difference("smooth_l1_loss", input, target):abs()
  if beta == 0 then return reduce(d, reduction) end
  return reduce(ops.where(d:lt(beta), d:square() * (0.5 / beta), d - 0.5 * beta), reduction)
end

--- d^2 / 2 where d = |x - y| is below delta, else delta (d - delta / 2) (Huber 1964): delta times
-- `smooth_l1_loss` with beta = delta.
-- @param input any shape
-- @param target of the same shape
-- @tparam[opt] table options `delta` (1), `reduction`
function losses.huber_loss(input, target, options)
  local reduction, delta
  options, reduction = read("huber_loss", options, {delta = true})
  check_tensors("huber_loss", input, target)
  delta = options.delta or 1
  if type(delta) ~= "number" or not (delta > 0) then
    error(("huber_loss: delta must be positive, got %s"):format(tostring(delta)), 2)
  end
  local d = difference("huber_loss", input, target):abs()
  return reduce(ops.where(d:lt(delta), d:square() * 0.5, (d - 0.5 * delta) * delta), reduction)
end

-- ---- two classes ------------------------------------------------------------------------------

-- log x, at least -100 as in PyTorch; below that the slope is 1e12 rather than infinite.
local function bounded_log(x)
  local tiny = x:le(3.7e-44) -- e^-100
  return ops.where(tiny, (x - x:detach()) * 1e12 - 100, ops.where(tiny, 1, x):log())
end

--- -w (y log x + (1 - y) log(1 - x)), logarithms bounded below by -100.
-- @param input probabilities, any shape
-- @param target of the same shape, in 0 .. 1
-- @tparam[opt] table options `weight` (broadcast), `reduction`
function losses.binary_cross_entropy(input, target, options)
  local reduction
  options, reduction = read("binary_cross_entropy", options, {weight = true})
  check_tensors("binary_cross_entropy", input, target)
  check_same_shape("binary_cross_entropy", input, target)
  check_weight("binary_cross_entropy", "weight", options.weight)
  local p = input:detach()
  -- on the CPU alone: elsewhere the answer would have to be waited for
  if p.device == "cpu" and not p:ge(0):logical_and(p:le(1)):all():item() then
    error("binary_cross_entropy: input must be probabilities in 0 .. 1; for logits there is "
      .. "binary_cross_entropy_with_logits", 2)
  end
  local loss = -(target * bounded_log(input) + (1 - target) * bounded_log(1 - input))
  if options.weight then loss = loss * options.weight end
  return reduce(loss, reduction)
end

--- w ((1 - y) x + (1 + (p - 1) y) log(1 + e^-x)): cross-entropy of s(x) against y, without overflow;
-- p is `pos_weight`, w is `weight`.
-- @param input logits, any shape
-- @param target of the same shape, in 0 .. 1
-- @tparam[opt] table options `weight` and `pos_weight` (both broadcast), `reduction`
function losses.binary_cross_entropy_with_logits(input, target, options)
  local reduction
  options, reduction = read("binary_cross_entropy_with_logits", options,
    {weight = true, pos_weight = true})
  check_tensors("binary_cross_entropy_with_logits", input, target)
  check_same_shape("binary_cross_entropy_with_logits", input, target)
  check_weight("binary_cross_entropy_with_logits", "weight", options.weight)
  check_weight("binary_cross_entropy_with_logits", "pos_weight", options.pos_weight)
  local log_part = ops.softplus(-input)
  if options.pos_weight then log_part = ((options.pos_weight - 1) * target + 1) * log_part end
  local loss = (1 - target) * input + log_part
  if options.weight then loss = loss * options.weight end
  return reduce(loss, reduction)
end

-- ---- distributions ------------------------------------------------------------------------------

--- p (log p - x): the Kullback-Leibler divergence of the target p from the log-probabilities x.
-- @param input log-probabilities
-- @param target probabilities of the same shape; their logarithms with `log_target`
-- @tparam[opt] table options `reduction` (also "batchmean": the sum divided by the first size, which
-- is what the formula means), `log_target` (false)
function losses.kl_div(input, target, options)
  local reduction
  options, reduction = read("kl_div", options, {log_target = true}, {batchmean = true})
  check_tensors("kl_div", input, target)
  if options.log_target ~= nil and type(options.log_target) ~= "boolean" then
    error("kl_div: log_target must be true or false, got " .. tostring(options.log_target), 2)
  end
  local loss
  if options.log_target then
    loss = target:exp() * (target - input)
  else
    local positive = target:gt(0)
    loss = ops.where(positive, target * ops.where(positive, target, 1):log(), 0) - target * input
  end
  if reduction == "batchmean" then
    return loss:dim() == 0 and loss or loss:sum() / input:size(1)
  end
  return reduce(loss, reduction)
end

-- ---- classes ----------------------------------------------------------------------------------------

-- (N, C, d1, ...) as rows (N * d1 ..., C); targets are in the same order.
local function class_rows(x)
  if x:dim() <= 2 then return x end
  local order = {1}
  for d = 3, x:dim() do order[#order + 1] = d end
  order[#order + 1] = 2
  return x:permute(order):reshape(-1, x:size(2))
end

-- Input (N, C), (C) or (N, C, d1, ...) wants class ids (N), () or (N, d1, ...).
local function check_ids(name, input, target)
  local want = {}
  for d = 1, input:dim() do
    if d ~= (input:dim() == 1 and 1 or 2) then want[#want + 1] = input:size(d) end
  end
  if input:dim() < 1 or shape_text(target) ~= "[" .. table.concat(want, ", ") .. "]" then
    error(("%s: input %s wants class ids [%s], got %s"):format(name, shape_text(input),
      table.concat(want, ", "), shape_text(target)), 3)
  end
end

local function check_ignore(name, ignore)
  if ignore ~= nil and math.type(ignore) ~= "integer" then
    error(("%s: ignore_index must be an integer, got %s"):format(name, tostring(ignore)), 3)
  end
  return ignore or -100
end

-- Calls an op and says who asked, where it names itself.
local function renamed(name, op, f, ...)
  local ok, result = pcall(f, ...)
  if ok then return result end
  error(name .. ": " .. tostring(result):gsub("^.-" .. op .. ": ", ""), 3)
end

-- Targets that are probabilities.
local function soft_cross_entropy(input, target, options, reduction)
  local e = options.label_smoothing or 0
  local dim = input:dim() == 1 and 1 or 2
  local C = input:size(dim)
  if e > 0 then target = target * (1 - e) + e / C end
  local cost = target * ops.log_softmax(input, dim)
  if options.weight then
    local sizes = {C}
    for _ = dim + 1, input:dim() do sizes[#sizes + 1] = 1 end
    cost = cost * options.weight:reshape(sizes)
  end
  if reduction == "none" then return -cost:sum(dim) end
  return reduction == "sum" and -cost:sum() or -cost:sum() / (input:numel() // C)
end

--- Cross-entropy of logits against class ids, or against probabilities.
--
-- With C classes, weights w, smoothing e and p = softmax of the logits, a row of class t costs
-- -(1 - e) w[t] log p[t] - (e / C) sum_c w[c] log p[c]; "mean" divides the sum by the sum of w[t]
-- over the rows that are not ignored.  A row with probabilities q costs
-- -sum_c w[c] ((1 - e) q[c] + e / C) log p[c]; "mean" divides by the number of rows.
-- @param input logits (N, C), (C), or (N, C, d1, ...)
-- @param target int64 class ids from 1 on: (N), (), or (N, d1, ...); or floats of the input's shape
-- @tparam[opt] table options `weight` (C), `ignore_index` (-100; an id that costs nothing),
-- `reduction`, `label_smoothing` (0)
function losses.cross_entropy(input, target, options)
  local reduction
  options, reduction = read("cross_entropy", options,
    {weight = true, ignore_index = true, label_smoothing = true})
  check_tensors("cross_entropy", input, target)
  local smoothing = options.label_smoothing or 0
  if type(smoothing) ~= "number" or not (smoothing >= 0 and smoothing <= 1) then
    error(("cross_entropy: label_smoothing must be in 0 .. 1, got %s"):format(tostring(smoothing)), 2)
  end
  local ignore = check_ignore("cross_entropy", options.ignore_index)
  check_weight("cross_entropy", "weight", options.weight)
  if target.dtype ~= "int64" and input:dim() == target:dim() then
    check_same_shape("cross_entropy", input, target)
    if options.ignore_index and options.ignore_index > 0 then
      error("cross_entropy: ignore_index has no meaning for targets that are probabilities", 2)
    end
    return soft_cross_entropy(input, target, options, reduction)
  end
  check_ids("cross_entropy", input, target)
  local many = input:dim() > 2
  local loss = renamed("cross_entropy", "cross_entropy", core.cross_entropy, class_rows(input),
    many and target:reshape(-1) or target, options.weight, ignore, reduction, smoothing)
  return many and reduction == "none" and loss:reshape(target.shape) or loss
end

--- -w[t] x[t] of log-probabilities x and class t: `cross_entropy` without its `log_softmax`.
-- "mean" divides the sum by the sum of w[t] over the rows that are not ignored.
-- @param input log-probabilities (N, C), (C), or (N, C, d1, ...)
-- @param target int64 class ids from 1 on: (N), (), or (N, d1, ...)
-- @tparam[opt] table options `weight` (C), `ignore_index` (-100), `reduction`
function losses.nll_loss(input, target, options)
  local reduction
  options, reduction = read("nll_loss", options, {weight = true, ignore_index = true})
  check_tensors("nll_loss", input, target)
  if target.dtype ~= "int64" then
    error("nll_loss: target must be int64 class ids, got " .. target.dtype, 2)
  end
  check_ids("nll_loss", input, target)
  local ignore = check_ignore("nll_loss", options.ignore_index)
  local C, weight = input:size(input:dim() == 1 and 1 or 2), options.weight
  check_weight("nll_loss", "weight", weight)
  if weight and (weight:dim() ~= 1 or weight:size(1) ~= C) then
    error(("nll_loss: weight must be [%d], got %s"):format(C, shape_text(weight)), 2)
  end
  local rows = class_rows(input:dim() == 1 and input:unsqueeze(1) or input)
  local flat = target:reshape(-1)
  local kept = flat:ne(ignore)
  local ids = ops.where(kept, flat, 1)
  local picked = renamed("nll_loss", "gather", ops.gather, rows, 2, ids:unsqueeze(2)):squeeze(2)
  local mass = kept:to(rows.dtype)
  if options.weight then mass = mass * options.weight:index_select(1, ids) end
  local cost = ops.where(kept, -picked * mass, 0)
  if reduction == "none" then return cost:reshape(target.shape) end
  return reduction == "sum" and cost:sum() or cost:sum() / mass:sum()
end

return losses
