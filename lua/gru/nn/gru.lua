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
local Recurrent = require "gru.nn.recurrent"

local ops = core.functions

--- A GRU of one or more layers.
--
-- Parameters of layer k (from 0 on, as in PyTorch's keys), all drawn from
-- U(-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)) in this order: `weight_ih_lk` (3 hidden, input),
-- `weight_hh_lk` (3 hidden, hidden), `bias_ih_lk` and `bias_hh_lk` (3 hidden), rows stacked r, z, n;
-- those of the second direction end with `_reverse`.  A call is `gru.nn.recurrent`'s `forward`.
-- @function GRU
-- @tparam integer input_size
-- @tparam integer hidden_size
-- @tparam[opt] table options `num_layers` (1), `bias` (true), `batch_first` (false), `dropout` (0,
-- between layers, in training), `bidirectional` (false), `reset` ("after" or "before"), `dtype`,
-- `device`
-- @usage local rnn = nn.GRU(27, 64)
-- local output, h_n = rnn(input)
local GRU = Recurrent:extend("GRU")
GRU.gates = 3
GRU.choices = {reset = {"after", "before"}}

-- One step, reset after the recurrent product.  gx (N, 3H) is W_i x + b_i; gates r | z | n.
local function step_after(gx, w_hh, b_hh, H, h)
  local gh = ops.matmul(h, w_hh)
  if b_hh then gh = gh + b_hh end
  local rz = (gx:narrow(2, 1, 2 * H) + gh:narrow(2, 1, 2 * H)):sigmoid()
  local r, z = rz:narrow(2, 1, H), rz:narrow(2, H + 1, H)
  local n = (gx:narrow(2, 2 * H + 1, H) + r * gh:narrow(2, 2 * H + 1, H)):tanh()
  return n + z * (h - n)
end

-- One step, reset before the recurrent product.
local function step_before(gx, w_hh, b_hh, H, h)
  local gates = ops.matmul(h, w_hh:narrow(2, 1, 2 * H)) + gx:narrow(2, 1, 2 * H)
  if b_hh then gates = gates + b_hh:narrow(1, 1, 2 * H) end
  local rz = gates:sigmoid()
  local r, z = rz:narrow(2, 1, H), rz:narrow(2, H + 1, H)
  local candidate = gx:narrow(2, 2 * H + 1, H) + ops.matmul(r * h, w_hh:narrow(2, 2 * H + 1, H))
  if b_hh then candidate = candidate + b_hh:narrow(1, 2 * H + 1, H) end
  local n = candidate:tanh()
  return n + z * (h - n)
end

--- The equations above, for the setting `reset`.
function GRU:step_function()
  return self.reset == "after" and step_after or step_before
end

return GRU
