--- The simple recurrent network over sequences, as `torch.nn.RNN` (Elman 1990).
--
--     h' = tanh(W_ih x + b_ih + W_hh h + b_hh)      nonlinearity = "tanh"
--     h' = relu(W_ih x + b_ih + W_hh h + b_hh)      nonlinearity = "relu"
-- @module gru.nn.rnn
local core = require "gru.core"
local Recurrent = require "gru.nn.recurrent"

local ops = core.functions

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

local function step_by(activation)
  return function(gx, w_hh, b_hh, _, h)
    local sum = gx + ops.matmul(h, w_hh)
    if b_hh then sum = sum + b_hh end
    return activation(sum)
  end
end

local steps = {tanh = step_by(ops.tanh), relu = step_by(ops.relu)}

--- The equation above, for the setting `nonlinearity`.
function RNN:step_function() return steps[self.nonlinearity] end

return RNN
