--- Clipping of gradients, parameters as one vector, and padding of sequences, as in
-- `torch.nn.utils`.
-- @module gru.nn.utils
local args = require "gru.args"
local clip = require "gru.clip"
local core = require "gru.core"
local functional = require "gru.nn.functional"
local mode = require "gru.mode"

local utils = {rnn = {}}
local ops = core.functions

local function with_grads(name, parameters)
  local grads = {}
  if core.is_tensor(parameters) then parameters = {parameters} end
  if type(parameters) ~= "table" then
    error(("%s: a table of parameters expected, got %s"):format(name, type(parameters)), 3)
  end
  for i, p in ipairs(parameters) do
    if not core.is_tensor(p) then
      error(("%s: parameter %d is a %s, not a tensor"):format(name, i, type(p)), 3)
    end
    if p.grad then grads[#grads + 1] = p.grad end
  end
  return grads
end

--- Scales all gradients so that their common norm is at most `max_norm`: every one is
-- multiplied by min(1, max_norm / (total + 1e-6)).
-- @tparam table parameters
-- @tparam number max_norm
-- @tparam[opt] table options `norm_type` (2, or math.huge), `error_if_nonfinite` (false)
-- @return the total norm before clipping, a 0-d tensor that stays on the device
function utils.clip_grad_norm_(parameters, max_norm, options)
  options = args.options("clip_grad_norm_", options, {norm_type = true, error_if_nonfinite = true})
  local p = args.number("clip_grad_norm_", "norm_type", options.norm_type, 2)
  local grads = with_grads("clip_grad_norm_", parameters)
  if args.number("clip_grad_norm_", "max_norm", max_norm) < 0 then
    error("clip_grad_norm_: max_norm must not be negative, got " .. max_norm, 2)
  end
  if #grads == 0 then return core.from_table(0.0) end
  local _ <close> = mode.no_grad()
  local total, scale = clip.norm(grads, p, max_norm, 1e-6)
  if options.error_if_nonfinite and not total:isfinite():item() then
    error(("clip_grad_norm_: the total norm is %s; pass {error_if_nonfinite = false} to scale all "
      .. "the same"):format(total:item()), 2)
  end
  clip.scale(grads, scale)
  return total
end

--- Limits every element of the gradients to -limit .. limit.
-- @tparam table parameters
-- @tparam number limit
function utils.clip_grad_value_(parameters, limit)
  local grads = with_grads("clip_grad_value_", parameters)
  if args.number("clip_grad_value_", "limit", limit) < 0 then
    error("clip_grad_value_: limit must not be negative, got " .. limit, 2)
  end
  local _ <close> = mode.no_grad()
  for _, g in ipairs(grads) do g:clamp_(-limit, limit) end
end

--- All parameters, one after the other, as one vector; gradients pass.
-- @tparam table parameters
-- @return (sum of numel)
function utils.parameters_to_vector(parameters)
  args.tensors("parameters_to_vector", parameters, "parameters")
  local parts = {}
  for i, p in ipairs(parameters) do parts[i] = p:reshape(-1) end
  if #parts == 0 then error("parameters_to_vector: no parameters", 2) end
  return ops.cat(parts, 1)
end

--- Copies the pieces of a vector into parameters, unrecorded.
-- @param vector (sum of numel), as `parameters_to_vector` gives it
-- @tparam table parameters
function utils.vector_to_parameters(vector, parameters)
  if not core.is_tensor(vector) or vector:dim() ~= 1 then
    error("vector_to_parameters: a tensor of 1 dim expected", 2)
  end
  args.tensors("vector_to_parameters", parameters, "parameters")
  local total, at = 0, 1
  for _, p in ipairs(parameters) do total = total + p:numel() end
  if total ~= vector:numel() then
    error(("vector_to_parameters: %d numbers for parameters of %d"):format(vector:numel(), total), 2)
  end
  local _ <close> = mode.no_grad()
  for _, p in ipairs(parameters) do
    p:copy_(vector:narrow(1, at, p:numel()):reshape(p.shape))
    at = at + p:numel()
  end
end

--- Sequences of different lengths in one tensor, shorter ones filled up at the end.
-- @tparam table sequences a list of (L_i, ...)
-- @tparam[opt] table options `batch_first` (false), `padding_value` (0)
-- @return (longest, N, ...), or (N, longest, ...) where batch_first
-- @usage local x = nn.utils.rnn.pad_sequence({gru.rand(3, 5), gru.rand(2, 5)}) -- (3, 2, 5)
function utils.rnn.pad_sequence(sequences, options)
  options = args.options("pad_sequence", options, {batch_first = true, padding_value = true})
  if type(sequences) ~= "table" or #sequences == 0 then
    error("pad_sequence: a table of at least one tensor expected", 2)
  end
  local longest, fill = 0, args.number("pad_sequence", "padding_value", options.padding_value, 0)
  for i, x in ipairs(sequences) do
    if not core.is_tensor(x) or x:dim() == 0 then
      error(("pad_sequence: element %d must be a tensor of 1 dim or more"):format(i), 2)
    end
    longest = math.max(longest, x:size(1))
  end
  local padded = {}
  for i, x in ipairs(sequences) do
    local widths = {}
    for _ = 2, x:dim() do
      widths[#widths + 1] = 0
      widths[#widths + 1] = 0
    end
    widths[#widths + 1] = 0
    widths[#widths + 1] = longest - x:size(1)
    padded[i] = functional.pad(x, widths, "constant", fill)
  end
  return ops.stack(padded, options.batch_first and 1 or 2)
end

return utils
