--- The gated recurrent unit over sequences, as `torch.nn.GRU`.
--
-- With x the input of a step, h the hidden state, s the logistic function and (.) the elementwise
-- product, the gates are
--
--     r = s(W_ir x + b_ir + W_hr h + b_hr)            reset
--     z = s(W_iz x + b_iz + W_hz h + b_hz)            update
--     n = tanh(W_in x + b_in + r (.) (W_hn h + b_hn))  candidate, reset = "after"
--     n = tanh(W_in x + b_in + W_hn (r (.) h) + b_hn)  candidate, reset = "before"
--     h' = (1 - z) (.) n + z (.) h
--
-- "after" is PyTorch's and cuDNN's convention (Cho et al., arXiv 1406.1078v1); "before" is that of
-- 1406.1078v3 and of the article's first half.
-- @module gru.nn.gru
local core = require "gru.core"
local functional = require "gru.nn.functional"
local module = require "gru.nn.module"

local GRU = module.Module:extend("GRU")
local ops = core.functions

local known = {
  input_size = true, hidden_size = true, num_layers = true, bias = true, batch_first = true,
  dropout = true, bidirectional = true, reset = true, dtype = true, device = true,
}

local function check_options(self, options)
  for key in pairs(options) do
    if not known[key] then error(("GRU: unknown option '%s'"):format(tostring(key)), 4) end
  end
  for _, name in ipairs {"input_size", "hidden_size", "num_layers"} do
    local value = self[name]
    if math.type(value) ~= "integer" or value < 1 then
      error(("GRU: %s must be a positive integer, got %s"):format(name, tostring(value)), 4)
    end
  end
  if type(self.dropout) ~= "number" or self.dropout < 0 or self.dropout > 1 then
    error(("GRU: dropout must be in 0 .. 1, got %s"):format(tostring(self.dropout)), 4)
  end
  if self.reset ~= "after" and self.reset ~= "before" then
    error(("GRU: reset must be \"after\" or \"before\", got %s"):format(tostring(self.reset)), 4)
  end
  if self.dropout > 0 and self.num_layers == 1 then
    warn("GRU: dropout acts between layers, there is only one: it has no effect")
  end
end

local function suffix(layer, direction)
  return "_l" .. layer - 1 .. (direction == 2 and "_reverse" or "")
end

--- A GRU of one or more layers.
--
-- Parameters of layer k (from 0 on, as in PyTorch's keys), all drawn from
-- U(-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)) in this order: `weight_ih_lk` (3 hidden, input),
-- `weight_hh_lk` (3 hidden, hidden), `bias_ih_lk` and `bias_hh_lk` (3 hidden), rows stacked r, z, n;
-- those of the second direction end with `_reverse`.
-- @function GRU
-- @tparam integer input_size
-- @tparam integer hidden_size
-- @tparam[opt] table options `num_layers` (1), `bias` (true), `batch_first` (false), `dropout` (0,
-- between layers, in training), `bidirectional` (false), `reset` ("after" or "before"), `dtype`,
-- `device`
-- @usage local rnn = nn.GRU(1027, 256)
-- local output, h_n = rnn(input)
function GRU:init(input_size, hidden_size, options)
  if type(input_size) == "table" then
    options = input_size
    input_size, hidden_size = options.input_size, options.hidden_size
  end
  options = options or {}
  self.input_size, self.hidden_size = input_size, hidden_size
  self.num_layers = options.num_layers or 1
  self.bias = options.bias ~= false
  self.batch_first = options.batch_first == true
  self.dropout = options.dropout or 0
  self.bidirectional = options.bidirectional == true
  self.reset = options.reset or "after"
  check_options(self, options)
  local bound, rows = 1 / math.sqrt(hidden_size), 3 * hidden_size
  local function draw(name, ...)
    local x = core.empty({...}, options.dtype, options.device):uniform_(-bound, bound)
    self[name] = module.Parameter(x)
  end
  local directions = self.bidirectional and 2 or 1
  for layer = 1, self.num_layers do
    local inputs = layer == 1 and input_size or directions * hidden_size
    for direction = 1, directions do
      local key = suffix(layer, direction)
      draw("weight_ih" .. key, rows, inputs)
      draw("weight_hh" .. key, rows, hidden_size)
      if self.bias then
        draw("bias_ih" .. key, rows)
        draw("bias_hh" .. key, rows)
      end
    end
  end
end

-- One step, reset after the recurrent product. gx (N, 3H) is W_i x + b_i; gates r | z | n.
local function step_after(gx, h, w_hh, b_hh, H)
  local gh = ops.matmul(h, w_hh)
  if b_hh then gh = gh + b_hh end
  local rz = (gx:narrow(2, 1, 2 * H) + gh:narrow(2, 1, 2 * H)):sigmoid()
  local r, z = rz:narrow(2, 1, H), rz:narrow(2, H + 1, H)
  local n = (gx:narrow(2, 2 * H + 1, H) + r * gh:narrow(2, 2 * H + 1, H)):tanh()
  return n + z * (h - n)
end

-- One step, reset before the recurrent product.
local function step_before(gx, h, w_hh, b_hh, H)
  local gates = ops.matmul(h, w_hh:narrow(2, 1, 2 * H)) + gx:narrow(2, 1, 2 * H)
  if b_hh then gates = gates + b_hh:narrow(1, 1, 2 * H) end
  local rz = gates:sigmoid()
  local r, z = rz:narrow(2, 1, H), rz:narrow(2, H + 1, H)
  local candidate = gx:narrow(2, 2 * H + 1, H) + ops.matmul(r * h, w_hh:narrow(2, 2 * H + 1, H))
  if b_hh then candidate = candidate + b_hh:narrow(1, 2 * H + 1, H) end
  local n = candidate:tanh()
  return n + z * (h - n)
end

-- One direction of one layer: x (L, N, inputs), h (N, H) -> outputs, a list of (N, H), last h.
-- `lengths` (a table of N integers) freezes each row after its last step.
function GRU:run(x, h, key, reverse, lengths)
  local H, L = self.hidden_size, x:size(1)
  local w_hh, b_hh = self["weight_hh" .. key]:t(), self["bias_hh" .. key]
  local step = self.reset == "after" and step_after or step_before
  -- The input part of all steps is one product, a row gather where x is one-hot.
  local gx = functional.linear(x, self["weight_ih" .. key], self["bias_ih" .. key])
  local outputs, masks = {}, lengths and lengths.masks
  for i = 1, L do
    local t = reverse and L + 1 - i or i
    local new = step(gx[t], h, w_hh, b_hh, H)
    if masks then
      h = ops.where(masks[t], new, h)
      outputs[t] = ops.where(masks[t], new, 0)
    else
      h, outputs[t] = new, new
    end
  end
  return outputs, h
end

-- masks[t] (N, 1): does step t belong to the row?
local function step_masks(lengths, L, N, device)
  if core.is_tensor(lengths) then lengths = lengths:totable() end
  if type(lengths) ~= "table" or #lengths ~= N then
    error(("GRU: lengths must name %d rows, got %s"):format(N, type(lengths) == "table"
      and #lengths or type(lengths)), 4)
  end
  for i, n in ipairs(lengths) do
    if math.type(n) ~= "integer" or n < 1 or n > L then
      error(("GRU: lengths[%d] must be in 1 .. %d, got %s"):format(i, L, tostring(n)), 4)
    end
  end
  local limit = core.from_table(lengths, "int64", device):unsqueeze(2)
  local masks = {}
  for t = 1, L do masks[t] = limit:ge(t) end
  return {masks = masks}
end

local function shape_text(x) return "[" .. table.concat(x.shape, ", ") .. "]" end

local function check_input(self, input, h_0, N)
  if input:size(-1) ~= self.input_size then
    error(("GRU: input %s ends with %d, input_size is %d")
      :format(shape_text(input), input:size(-1), self.input_size), 4)
  end
  if not h_0 then return end
  local want = {self.num_layers * (self.bidirectional and 2 or 1), N, self.hidden_size}
  if shape_text(h_0) ~= "[" .. table.concat(want, ", ") .. "]" then
    error(("GRU: h_0 must be [%s], got %s; batch_first does not change it")
      :format(table.concat(want, ", "), shape_text(h_0)), 4)
  end
end

local function drop(x, p)
  local mask = core.empty(x.shape, x.dtype, x.device):bernoulli_(1 - p)
  return x * mask * (p < 1 and 1 / (1 - p) or 0)
end

-- All layers: x (L, N, I), h_0 (layers * directions, N, H) -> output (L, N, directions * H), h_n.
function GRU:layers(x, h_0, lengths)
  local directions, last = self.bidirectional and 2 or 1, {}
  for layer = 1, self.num_layers do
    local halves = {}
    for direction = 1, directions do
      local at = (layer - 1) * directions + direction
      local outputs, h = self:run(x, h_0[at], suffix(layer, direction), direction == 2, lengths)
      halves[direction] = ops.stack(outputs, 1)
      last[at] = h
    end
    x = directions == 2 and ops.cat(halves, 3) or halves[1]
    if self.dropout > 0 and self.training and layer < self.num_layers then
      x = drop(x, self.dropout)
    end
  end
  return x, ops.stack(last, 1)
end

--- Runs the sequence.
-- @param input (L, N, I); (N, L, I) where batch_first; (L, I) without a batch; may be one-hot
-- @param[opt] h_0 (layers * directions, N, H), without the N for an input without a batch; nil is
-- zeros
-- @tparam[opt] table options `lengths`: a table or int64 tensor of N lengths, in any order; a row
-- stops after its length, its further outputs are 0
-- @return output (L, N, directions * H): the last layer's states, arranged as the input is
-- @return h_n, as h_0: each row's state after its last step
function GRU:forward(input, h_0, options)
  if not core.is_tensor(input) then
    error("GRU: an input tensor expected, got " .. type(input), 3)
  end
  if input:dim() ~= 3 and input:dim() ~= 2 then
    error(("GRU: input must have 2 or 3 dims, got %s"):format(shape_text(input)), 3)
  end
  local batched = input:dim() == 3
  if not batched then
    input = input:unsqueeze(2)
    h_0 = h_0 and h_0:unsqueeze(2)
  elseif self.batch_first then
    input = input:transpose(1, 2)
  end
  local L, N = input:size(1), input:size(2)
  if L == 0 then error("GRU: a sequence of no steps", 3) end
  check_input(self, input, h_0, N)
  local weight = self.weight_hh_l0
  local rows = self.num_layers * (self.bidirectional and 2 or 1)
  h_0 = h_0 or core.empty({rows, N, self.hidden_size}, weight.dtype, weight.device):fill_(0)
  local lengths = options and options.lengths
  local output, h_n = self:layers(input, h_0, lengths
    and step_masks(lengths, L, N, weight.device))
  if not batched then return output:squeeze(2), h_n:squeeze(2) end
  return self.batch_first and output:transpose(1, 2) or output, h_n
end

function GRU:extra_repr()
  local text = {tostring(self.input_size), tostring(self.hidden_size)}
  if self.num_layers ~= 1 then text[#text + 1] = "num_layers=" .. self.num_layers end
  if not self.bias then text[#text + 1] = "bias=false" end
  if self.batch_first then text[#text + 1] = "batch_first=true" end
  if self.dropout > 0 then text[#text + 1] = "dropout=" .. self.dropout end
  if self.bidirectional then text[#text + 1] = "bidirectional=true" end
  if self.reset ~= "after" then text[#text + 1] = ("reset=%q"):format(self.reset) end
  return table.concat(text, ", ")
end

return GRU
