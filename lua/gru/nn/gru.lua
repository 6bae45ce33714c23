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
local Recurrent = require "gru.nn.recurrent"

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
GRU.op = "gru_sequence"

function GRU:variant() return self.reset == "before" and 1 or 0 end

return GRU
