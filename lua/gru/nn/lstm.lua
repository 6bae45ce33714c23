--- Long short-term memory over sequences, as `torch.nn.LSTM` (Hochreiter and Schmidhuber 1997; with
-- the forget gate of Gers et al. 2000).
--
-- With s the logistic function and (.) the elementwise product:
--
--     i = s(W_ii x + b_ii + W_hi h + b_hi)          input gate
--     f = s(W_if x + b_if + W_hf h + b_hf)          forget gate
--     g = tanh(W_ig x + b_ig + W_hg h + b_hg)       candidate
--     o = s(W_io x + b_io + W_ho h + b_ho)          output gate
--     c' = f (.) c + i (.) g
--     h' = o (.) tanh(c')
-- @module gru.nn.lstm
local Recurrent = require "gru.nn.recurrent"

--- An LSTM of one or more layers.
--
-- Parameters as in `GRU`, with 4 hidden_size rows, stacked i, f, g, o.  A call is
-- `gru.nn.recurrent`'s `forward`; the state is a table {h, c} where PyTorch has a tuple.
-- @function LSTM
-- @tparam integer input_size
-- @tparam integer hidden_size
-- @tparam[opt] table options `num_layers` (1), `bias` (true), `batch_first` (false), `dropout` (0,
-- between layers, in training), `bidirectional` (false), `dtype`, `device`
-- @usage local lstm = nn.LSTM(27, 64)
-- local output, state = lstm(input)
-- output, state = lstm(input, state)     -- goes on; state[1] is h_n, state[2] is c_n
local LSTM = Recurrent:extend("LSTM")
LSTM.gates = 4
LSTM.pair = true
LSTM.op = "lstm_sequence"

return LSTM
