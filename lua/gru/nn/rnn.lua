--- The simple recurrent network over sequences, as `torch.nn.RNN` (Elman 1990).
--
--     h' = tanh(W_ih x + b_ih + W_hh h + b_hh)      nonlinearity = "tanh"
--     h' = relu(W_ih x + b_ih + W_hh h + b_hh)      nonlinearity = "relu"
-- @module gru.nn.rnn
local Recurrent = require "gru.nn.recurrent"

--- An Elman network of one or more layers.
--
-- Parameters as in `GRU`, with `hidden_size` rows.  A call is `gru.nn.recurrent`'s `forward`.
-- @function RNN
-- @tparam integer input_size
-- @tparam integer hidden_size
-- @tparam[opt] table options `nonlinearity` ("tanh" or "relu"), `num_layers` (1), `bias` (true),
-- `batch_first` (false), `dropout` (0, between layers, in training), `bidirectional` (false),
-- `dtype`, `device`
-- @usage local output, h_n = nn.RNN(27, 64, {nonlinearity = "relu"})(input)
local RNN = Recurrent:extend("RNN")
RNN.choices = {nonlinearity = {"tanh", "relu"}}
RNN.op = "rnn_sequence"

function RNN:variant() return self.nonlinearity == "relu" and 1 or 0 end

return RNN
