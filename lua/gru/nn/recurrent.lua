--- What RNN, LSTM and GRU share: settings, parameters, layers, directions, lengths.
--
-- A class on top names its number of gates and the op that runs a sequence (`runtime/ops.def`):
--
--     local GRU = Recurrent:extend("GRU")
--     GRU.gates = 3
--     GRU.op = "gru_sequence"
-- @module gru.nn.recurrent
local args = require "gru.args"
local core = require "gru.core"
local functional = require "gru.nn.functional"
local module = require "gru.nn.module"

local class_name = module.class_name
local Recurrent = module.Module:extend("Recurrent")
local ops = core.functions

--- Blocks of H rows in the weights.
Recurrent.gates = 1
--- Is the state a pair {h, c}?
Recurrent.pair = false
--- Further options of a class: name -> the values it may have, the default first.
Recurrent.choices = {}

local known = {
  input_size = true, hidden_size = true, num_layers = true, bias = true, batch_first = true,
  dropout = true, bidirectional = true, dtype = true, device = true,
}

local function is_choice(values, value)
  for _, v in ipairs(values) do
    if v == value then return true end
  end
  return false
end

local function check_choices(self)
  for name, values in pairs(self.choices) do
    if not is_choice(values, self[name]) then
      error(("%s: %s must be \"%s\", got %s"):format(class_name(self), name,
        table.concat(values, "\" or \""), tostring(self[name])), 5)
    end
  end
end

local function check_options(self, options)
  for key in pairs(options) do
    if not known[key] and not self.choices[key] then
      error(("%s: unknown option '%s'"):format(class_name(self), tostring(key)), 4)
    end
  end
  for _, name in ipairs {"input_size", "hidden_size", "num_layers"} do
    local value = self[name]
    if math.type(value) ~= "integer" or value < 1 then
      error(("%s: %s must be a positive integer, got %s"):format(class_name(self), name,
        tostring(value)), 4)
    end
  end
  if type(self.dropout) ~= "number" or not (self.dropout >= 0 and self.dropout <= 1) then
    error(("%s: dropout must be in 0 .. 1, got %s"):format(class_name(self), tostring(self.dropout)), 4)
  end
  check_choices(self)
  if self.dropout > 0 and self.num_layers == 1 then
    warn(class_name(self) .. ": dropout acts between layers, there is only one: it has no effect")
  end
end

-- The names of a layer's parameters, as PyTorch has them; made once.
local keys = {{}, {}} -- by direction and layer

local function keys_of(layer, direction)
  local made = keys[direction][layer]
  if not made then
    local suffix, reverse = "_l" .. layer - 1, direction == 2 and "_reverse" or ""
    made = {}
    for _, name in ipairs {"weight_ih", "weight_hh", "bias_ih", "bias_hh"} do
      made[name] = name .. suffix .. reverse
    end
    keys[direction][layer] = made
  end
  return made
end

local first_keys = keys_of(1, 1)

-- Draws a layer's parameters from U(-bound, bound), in PyTorch's order.
local function draw(self, options, rows, inputs, key)
  local bound = 1 / math.sqrt(self.hidden_size)
  local function one(name, ...)
    local x = core.empty({...}, options.dtype, options.device):uniform_(-bound, bound)
    self[key[name]] = module.Parameter(x)
  end
  one("weight_ih", rows, inputs)
  one("weight_hh", rows, self.hidden_size)
  if self.bias then
    one("bias_ih", rows)
    one("bias_hh", rows)
  end
end

--- Reads the settings and draws the parameters.
--
-- Parameters of layer k (from 0 on, as in PyTorch's keys), all drawn from
-- U(-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)) in this order: `weight_ih_lk` (gates * hidden,
-- input), `weight_hh_lk` (gates * hidden, hidden), `bias_ih_lk` and `bias_hh_lk` (gates * hidden);
-- those of the second direction end with `_reverse`.
-- @tparam integer input_size
-- @tparam integer hidden_size
-- @tparam[opt] table options see the classes
function Recurrent:init(input_size, hidden_size, options)
  if type(input_size) == "table" then
    options = input_size
    input_size, hidden_size = options.input_size, options.hidden_size
  end
  options = options or {}
  if type(options) ~= "table" then
    error(("%s: options must be a table, got %s; write {num_layers = %s}"):format(class_name(self),
      type(options), tostring(options)), 3)
  end
  args.layer(self.name, options, {"bias", "batch_first", "bidirectional"})
  self.input_size, self.hidden_size = input_size, hidden_size
  self.num_layers = options.num_layers or 1
  self.bias = options.bias ~= false
  self.batch_first = options.batch_first == true
  self.dropout = options.dropout or 0
  self.bidirectional = options.bidirectional == true
  for name, values in pairs(self.choices) do self[name] = options[name] or values[1] end
  check_options(self, options)
  local directions, rows = self:directions(), self.gates * hidden_size
  for layer = 1, self.num_layers do
    local inputs = layer == 1 and input_size or directions * hidden_size
    for direction = 1, directions do
      draw(self, options, rows, inputs, keys_of(layer, direction))
    end
  end
end

--- 2 where it is bidirectional, else 1.
function Recurrent:directions() return self.bidirectional and 2 or 1 end

--- The op that runs a sequence; a class must name it.
Recurrent.op = nil

--- Which variant of the op the settings ask for; see `runtime/ops.def`.
function Recurrent:variant() return 0 end

-- One direction of one layer: x (L, N, inputs), state number `at` of h_0 and c_0, lengths (N) -> output
-- (L, N, H), and the last h and c, with a first dim where the layer is `alone`.
local function run(self, x, h_0, c_0, at, key, reverse, lengths, alone)
  return core.recurrent_layer(self.op, x, h_0, at, self[key.weight_ih], self[key.weight_hh],
    self[key.bias_ih], self[key.bias_hh], lengths, c_0, reverse, self:variant(), alone)
end

-- All layers: x (L, N, I), h_0 and c_0 (layers * directions, N, H), lengths (N) -> output
-- (L, N, directions * H), h_n, c_n.
local function run_layers(self, x, h_0, c_0, lengths)
  local directions, count = self:directions(), self.num_layers
  if directions * count == 1 then return run(self, x, h_0, c_0, 1, first_keys, false, lengths, true) end
  local last, last_c = {}, {}
  for layer = 1, count do
    local halves = {}
    for direction = 1, directions do
      local at = (layer - 1) * directions + direction
      halves[direction], last[at], last_c[at] = run(self, x, h_0, c_0, at, keys_of(layer, direction),
        direction == 2, lengths, false)
    end
    x = directions == 2 and ops.cat(halves, 3) or halves[1]
    if self.dropout > 0 and self.training and layer < count then
      x = functional.dropout(x, self.dropout)
    end
  end
  return x, ops.stack(last, 1), c_0 and ops.stack(last_c, 1)
end

-- ---- arguments of a call ---------------------------------------------------------------------

-- Raises `class: message`, blamed on the caller of the module `level` calls further up.
local function fail(self, level, message, ...)
  error(class_name(self) .. ": " .. message:format(...), level + 2)
end

local function shape_text(x) return "[" .. table.concat(x.shape, ", ") .. "]" end

-- The lengths as an int64 tensor (N).
local function read_lengths(self, lengths, L, N, device)
  if core.is_tensor(lengths) then lengths = lengths:totable() end
  if type(lengths) ~= "table" or #lengths ~= N then
    fail(self, 2, "lengths must name %d rows, got %s", N, type(lengths) == "table"
      and #lengths or type(lengths))
  end
  for i, n in ipairs(lengths) do
    if math.type(n) ~= "integer" or n < 1 or n > L then
      fail(self, 2, "lengths[%d] must be in 1 .. %d, got %s", i, L, tostring(n))
    end
  end
  return core.from_table(lengths, "int64", device)
end

-- x (L, N, inputs) with zeros past the lengths: what stands there may be NaN, and is not looked at.
local function blank(x, lengths)
  local steps = core.range(1, 1, x:size(1), "int64", x.device):unsqueeze(2)
  return ops.where(steps:le(lengths):unsqueeze(3), x, 0)
end

-- Is it a table with named fields alone, and not a module's state {h, c}?
local function is_options(x)
  return type(x) == "table" and not core.is_tensor(x) and #x == 0
end

-- The parts of a pair's state.
local function read_pair(self, state)
  if state == nil then return nil, nil end
  if type(state) ~= "table" or not core.is_tensor(state[1]) or not core.is_tensor(state[2]) then
    fail(self, 3, "the state must be a pair {h_0, c_0} of tensors, got %s", core.is_tensor(state)
      and "one tensor" or type(state))
  end
  return state[1], state[2]
end

-- A given part of the state, with a batch dim; zeros for nil.
local function initial(self, name, x, N, batched)
  local states, H = self.num_layers * self:directions(), self.hidden_size
  if x == nil then
    local like = self.weight_hh_l0
    return core.empty({states, N, H}, like.dtype, like.device):fill_(0)
  end
  local dims, layers, rows, width = core.sizes(x)
  if not dims then fail(self, 2, "%s must be a tensor, got %s", name, type(x)) end
  if not batched then
    if dims ~= 2 then
      fail(self, 2, "%s must be [%d, %d] for an input without a batch, got %s", name, states, H,
        shape_text(x))
    end
    x = x:unsqueeze(2)
    dims, layers, rows, width = core.sizes(x)
  end
  if dims ~= 3 or layers ~= states or rows ~= N or width ~= H then
    fail(self, 2, "%s must be [%d, %d, %d], got %s; batch_first does not change it", name, states, N,
      H, shape_text(x))
  end
  return x
end

-- Of the input: its dims, 2 or 3, and their sizes.
local function check_input(self, input)
  local dims, a, b, c = core.sizes(input)
  if not dims then fail(self, 2, "an input tensor expected, got %s", type(input)) end
  if dims ~= 3 and dims ~= 2 then
    fail(self, 2, "input must have 2 or 3 dims, got %s", shape_text(input))
  end
  local width, wanted = dims == 3 and c or b, self.input_size
  if width ~= wanted then
    fail(self, 2, "input %s ends with %d, input_size is %d", shape_text(input), width, wanted)
  end
  return dims, a, b
end

-- State and options of a call; the state may be left out.
local function read_call(self, pair, state, options)
  if options == nil and is_options(state) then state, options = nil, state end
  local lengths = nil
  if options ~= nil then
    if not is_options(options) then
      fail(self, 2, "options must be a table such as {lengths = {...}}, got %s", type(options))
    end
    for key in pairs(options) do
      if key ~= "lengths" then fail(self, 2, "unknown option '%s'; there is: lengths", tostring(key)) end
    end
    lengths = options.lengths
  end
  if pair then return lengths, read_pair(self, state) end
  return lengths, state, nil
end

--- Runs the sequence.
-- @param input (L, N, I); (N, L, I) where batch_first; (L, I) without a batch; may be one-hot
-- @param[opt] h_0 (layers * directions, N, H), without the N for an input without a batch; nil is
-- zeros.  LSTM: a table {h_0, c_0} of two such
-- @tparam[opt] table options `lengths`: a table or int64 tensor of N lengths, in any order; a row
-- stops after its length, its further outputs are 0, and the second direction starts at its own
-- last step
-- @return output (L, N, directions * H): the last layer's states, arranged as the input is
-- @return h_n, as h_0 (LSTM: {h_n, c_n}): each row's state after its last step
function Recurrent:forward(input, h_0, options)
  local pair = self.pair
  local dims, L, N = check_input(self, input)
  local lengths, c_0
  if pair or options ~= nil or type(h_0) == "table" then
    lengths, h_0, c_0 = read_call(self, pair, h_0, options)
  end
  local batched, batch_first = dims == 3, self.batch_first
  if not batched then
    input, N = input:unsqueeze(2), 1
  elseif batch_first then
    input, L, N = input:transpose(1, 2), N, L
  end
  if L == 0 then fail(self, 1, "a sequence of no steps") end
  h_0 = initial(self, "h_0", h_0, N, batched)
  if pair then c_0 = initial(self, "c_0", c_0, N, batched) end
  if lengths then
    lengths = read_lengths(self, lengths, L, N, self.weight_hh_l0.device)
    if not input:is_one_hot() then input = blank(input, lengths) end
  end
  local output, h_n, c_n = run_layers(self, input, h_0, c_0, lengths)
  if not batched then
    output, h_n, c_n = output:squeeze(2), h_n:squeeze(2), c_n and c_n:squeeze(2)
  elseif batch_first then
    output = output:transpose(1, 2)
  end
  if pair then h_n = {h_n, c_n} end
  return output, h_n
end

function Recurrent:extra_repr()
  local text = {tostring(self.input_size), tostring(self.hidden_size)}
  if self.num_layers ~= 1 then text[#text + 1] = "num_layers=" .. self.num_layers end
  if not self.bias then text[#text + 1] = "bias=false" end
  if self.batch_first then text[#text + 1] = "batch_first=true" end
  if self.dropout > 0 then text[#text + 1] = "dropout=" .. self.dropout end
  if self.bidirectional then text[#text + 1] = "bidirectional=true" end
  for name, values in pairs(self.choices) do
    if self[name] ~= values[1] then text[#text + 1] = ("%s=%q"):format(name, self[name]) end
  end
  return table.concat(text, ", ")
end

return Recurrent
