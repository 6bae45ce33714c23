--- One step of RNN, LSTM and GRU as modules, as `torch.nn.GRUCell` and its siblings.
--
-- The equations are those of the sequence modules; the parameters are `weight_ih` (gates * hidden,
-- input), `weight_hh` (gates * hidden, hidden), `bias_ih` and `bias_hh` (gates * hidden), drawn in
-- this order from U(-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)).
-- @module gru.nn.cell
local args = require "gru.args"
local core = require "gru.core"
local functional = require "gru.nn.functional"
local module = require "gru.nn.module"

local class_name = module.class_name
local Cell = module.Module:extend("Cell")

local known = {
  input_size = true, hidden_size = true, bias = true, dtype = true, device = true,
}

local function check_options(self, options)
  local choices = self.sequence.choices
  for key in pairs(options) do
    if not known[key] and not choices[key] then
      error(("%s: unknown option '%s'"):format(class_name(self), tostring(key)), 4)
    end
  end
  for _, name in ipairs {"input_size", "hidden_size"} do
    local value = self[name]
    if math.type(value) ~= "integer" or value < 1 then
      error(("%s: %s must be a positive integer, got %s"):format(class_name(self), name,
        tostring(value)), 4)
    end
  end
  for name, values in pairs(choices) do
    if self[name] ~= values[1] and self[name] ~= values[2] then
      error(("%s: %s must be \"%s\", got %s"):format(class_name(self), name,
        table.concat(values, "\" or \""), tostring(self[name])), 4)
    end
  end
end

function Cell:init(input_size, hidden_size, options)
  if type(input_size) == "table" then
    options = input_size
    input_size, hidden_size = options.input_size, options.hidden_size
  end
  options = options or {}
  if type(options) ~= "table" then
    error(("%s: options must be a table, got %s; write {bias = %s}"):format(class_name(self),
      type(options), tostring(options)), 3)
  end
  args.layer(self.name, options, {"bias"})
  self.input_size, self.hidden_size = input_size, hidden_size
  self.bias = options.bias ~= false
  for name, values in pairs(self.sequence.choices) do self[name] = options[name] or values[1] end
  check_options(self, options)
  local bound, rows = 1 / math.sqrt(hidden_size), self.sequence.gates * hidden_size
  local function draw(...)
    local x = core.empty({...}, options.dtype, options.device):uniform_(-bound, bound)
    return module.Parameter(x)
  end
  self.weight_ih = draw(rows, input_size)
  self.weight_hh = draw(rows, hidden_size)
  if self.bias then
    self.bias_ih = draw(rows)
    self.bias_hh = draw(rows)
  end
end

local function shape_text(x) return "[" .. table.concat(x.shape, ", ") .. "]" end

-- Part of the state with a batch dim; zeros for nil.
local function read_state(self, name, x, N, batched)
  if x == nil then
    return core.empty({N, self.hidden_size}, self.weight_hh.dtype, self.weight_hh.device):fill_(0)
  end
  if not core.is_tensor(x) then
    error(("%s: %s must be a tensor, got %s"):format(class_name(self), name, type(x)), 4)
  end
  local want = batched and ("[%d, %d]"):format(N, self.hidden_size)
    or ("[%d]"):format(self.hidden_size)
  if shape_text(x) ~= want then
    error(("%s: %s must be %s, got %s"):format(class_name(self), name, want, shape_text(x)), 4)
  end
  return batched and x or x:unsqueeze(1)
end

-- Runs the step; h and c are nil (zeros) or as the input.
local function run(self, input, h, c)
  if not core.is_tensor(input) then
    error(("%s: an input tensor expected, got %s"):format(class_name(self), type(input)), 3)
  end
  local dims = input:dim()
  if dims ~= 1 and dims ~= 2 then
    error(("%s: input must have 1 or 2 dims, got %s"):format(class_name(self), shape_text(input)), 3)
  end
  if input:size(-1) ~= self.input_size then
    error(("%s: input %s ends with %d, input_size is %d"):format(class_name(self), shape_text(input),
      input:size(-1), self.input_size), 3)
  end
  local batched = dims == 2
  if not batched then input = input:unsqueeze(1) end
  local N = input:size(1)
  h = read_state(self, "h", h, N, batched)
  if self.sequence.pair then c = read_state(self, "c", c, N, batched) end
  local gx = functional.linear(input, self.weight_ih):unsqueeze(1)
  local y = core.recurrence(self.sequence.op, gx, h, self.weight_hh, self.bias_ih, self.bias_hh, nil,
    c, false, self.sequence.variant(self))
  h, c = y[1], nil
  if self.sequence.pair then h, c = h[1], y[{2, 1}] end
  if batched then return h, c end
  return h:squeeze(1), c and c:squeeze(1)
end

--- One step.
-- @param input (N, input_size) or (input_size)
-- @param[opt] h (N, hidden_size) or (hidden_size); nil is zeros
-- @return h', as h
function Cell:forward(input, h)
  return (run(self, input, h))
end

function Cell:extra_repr()
  local text = {tostring(self.input_size), tostring(self.hidden_size)}
  if not self.bias then text[#text + 1] = "bias=false" end
  for name, values in pairs(self.sequence.choices) do
    if self[name] ~= values[1] then text[#text + 1] = ("%s=%q"):format(name, self[name]) end
  end
  return table.concat(text, ", ")
end

--- A step of an Elman network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh).
-- @function RNNCell
-- @tparam integer input_size
-- @tparam integer hidden_size
-- @tparam[opt] table options `bias` (true), `nonlinearity` ("tanh" or "relu"), `dtype`, `device`
-- @usage h = cell(x, h)
local RNNCell = Cell:extend("RNNCell")
RNNCell.sequence = require "gru.nn.rnn"

--- A step of a GRU, rows stacked r, z, n; see `gru.nn.gru` for the equations.
-- @function GRUCell
-- @tparam integer input_size
-- @tparam integer hidden_size
-- @tparam[opt] table options `bias` (true), `reset` ("after" or "before"), `dtype`, `device`
-- @usage h = cell(x, h)
local GRUCell = Cell:extend("GRUCell")
GRUCell.sequence = require "gru.nn.gru"

--- A step of an LSTM, rows stacked i, f, g, o; see `gru.nn.lstm` for the equations.
-- @function LSTMCell
-- @tparam integer input_size
-- @tparam integer hidden_size
-- @tparam[opt] table options `bias` (true), `dtype`, `device`
-- @usage local cell = nn.LSTMCell(3, 4)
-- local h, c = cell(x)
-- h, c = cell(x, {h, c})
local LSTMCell = Cell:extend("LSTMCell")
LSTMCell.sequence = require "gru.nn.lstm"

--- One step.
-- @param input (N, input_size) or (input_size)
-- @tparam[opt] table state {h, c}, both (N, hidden_size) or (hidden_size); nil is zeros
-- @return h', as h
-- @return c', as c
function LSTMCell:forward(input, state)
  if state ~= nil and (type(state) ~= "table" or core.is_tensor(state) or state[1] == nil
    or state[2] == nil) then
    error(("LSTMCell: the state must be a pair {h, c}, got %s"):format(core.is_tensor(state)
      and "one tensor" or type(state)), 2)
  end
  local h, c = run(self, input, state and state[1], state and state[2])
  return h, c
end

return {RNNCell = RNNCell, LSTMCell = LSTMCell, GRUCell = GRUCell}
