--- Cases of modules and of the functions of nn: what tests/support/rows/composite.lua is for tensors.
--
-- Their leaves are the inputs and the parameters, which are drawn anew for every seed.  A module that
-- draws itself, as Dropout does, is given the same seed for every evaluation.
local gru = require "gru"
local nd = require "tests.support.nd"
local together = require("tests.support.gradients").together

local nn, F = gru.nn, gru.nn.functional

local rows = {}

-- `inputs` as in composite.lua; further fields of the case may be given.
local function add(name, inputs, fields)
  local list, shapes = {}, {}
  for k, input in ipairs(inputs) do
    list[k] = type(input[1]) == "table" and input or {input}
    shapes[k] = "[" .. table.concat(list[k][1], ", ") .. "]"
  end
  rows[name] = rows[name] or {}
  local title = ("%s of %s, %d"):format(fields.text or name, table.concat(shapes, ", "), #rows[name] + 1)
  local case = {name = title, inputs = list, layouts = nd.layout_names, fixed = "contiguous"}
  for key, value in pairs(fields) do case[key] = value end
  table.insert(rows[name], case)
end

-- A function of nn.functional.
local function call(name, inputs, f) add(name, inputs, {call = f or F[name]}) end

local function draw_parameter(rng) return rng(-1, 1) end

-- A module that `build()` makes; `options`: forward(module, inputs ...) in place of a plain call,
-- draw(rng, name, i) of the parameters, layouts.
local function layer(name, inputs, build, options)
  options = options or {}
  local draw = options.draw or draw_parameter
  add(name, inputs, {
    text = tostring(build()):match "^[^\n]*":gsub("%($", ""), layouts = options.layouts,
    make = function(rng)
      local module, leaves, seed = build():double(), {}, rng(10 ^ 6 // 1)
      for key, p in module:named_parameters() do
        local a = nd.generate(p.shape, function(i) return draw(rng, key, i) end)
        gru.no_grad(function() p:copy_(nd.tensor(a, "float64")) end)
        leaves[#leaves + 1] = p
      end
      return function(...)
        gru.manual_seed(seed)
        if options.forward then return together(options.forward(module, ...)) end
        return together(module(...))
      end, leaves
    end,
  })
end

-- ---- layers ------------------------------------------------------------------------------------

local function ids(n, classes)
  return {type(n) == "table" and n or {n}, function(r) return r(classes) end, "int64"}
end

-- Rows of an embedding but those of the padding, which have no gradient on purpose.
local function but(padding, y, at) return y * at:ne(padding):double():unsqueeze(-1) end

layer("Linear", {{2, 3}}, function() return nn.Linear(3, 2) end)
layer("Linear", {{2, 2, 3}}, function() return nn.Linear(3, 2, {bias = false}) end)
layer("Linear", {{3}}, function() return nn.Linear(3, 2) end)
layer("Linear", {{0, 3}}, function() return nn.Linear(3, 2) end)
layer("Embedding", {ids(4, 5)}, function() return nn.Embedding(5, 2) end)
layer("Embedding", {ids({2, 3}, 4)}, function() return nn.Embedding(4, 2, {padding_idx = 2}) end, {
  forward = function(m, at) return but(2, m(at), at) end,
})
layer("Embedding", {ids(0, 4)}, function() return nn.Embedding(4, 2) end)
layer("Dropout", {{2, 3}}, function() return nn.Dropout(0.4) end)
layer("Dropout", {{2, 3}}, function() return nn.Dropout(0.4):eval() end)
layer("Dropout", {{}}, function() return nn.Dropout() end)
layer("Dropout", {{0, 3}}, function() return nn.Dropout() end)
layer("LayerNorm", {{2, 3}}, function() return nn.LayerNorm(3) end)
layer("LayerNorm", {{2, 2, 3}}, function() return nn.LayerNorm({2, 3}, {eps = 0.1}) end)
layer("LayerNorm", {{2, 3}}, function() return nn.LayerNorm(3, {elementwise_affine = false}) end)
layer("LayerNorm", {{0, 3}}, function() return nn.LayerNorm(3) end)
layer("Identity", {{2, 3}}, function() return nn.Identity() end)
layer("Flatten", {{2, 2, 3}}, function() return nn.Flatten() end)
layer("Flatten", {{0, 2, 3}}, function() return nn.Flatten() end)
layer("Sequential", {{2, 3}}, function()
  return nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.LayerNorm(2), nn.Sequential(nn.Linear(2, 2)))
end)

local activations = {
  Sigmoid = {{}}, Tanh = {{}}, ReLU = {{}}, SiLU = {{}}, LogSigmoid = {{}}, GELU = {{"none"}, {"tanh"}},
  Softplus = {{}, {2, 1}}, LeakyReLU = {{}, {0.3}}, ELU = {{}, {2}}, Softmax = {{-1}, {1}},
  LogSoftmax = {{-1}, {1}},
}
for name, list in pairs(activations) do
  for _, settings in ipairs(list) do
    local function build() return nn[name](table.unpack(settings)) end
    for _, shape in ipairs {{2, 3}, {}, {0, 3}} do layer(name, {{shape, "off_grid"}}, build) end
  end
end

-- ---- recurrent layers --------------------------------------------------------------------------

-- Biases that keep the sums of an RNN with relu 0.4 and more from 0: no kink is near.
local function away_from_kinks(rng, key, i)
  if key:find "^bias" then return (i % 2 * 2 - 1) * rng(0.4, 0.5) end
  return rng(-0.05, 0.05)
end

local function with_lengths(rnn, ...)
  local given = table.pack(...)
  given[given.n + 1] = {lengths = {2, 1}}
  return rnn(table.unpack(given, 1, given.n + 1))
end

local function paired(rnn, x, h, c) return rnn(x, {h, c}) end
local function paired_lengths(rnn, x, h, c) return rnn(x, {h, c}, {lengths = {1, 2}}) end

for _, class in ipairs {
  {"RNN", {}}, {"RNN", {nonlinearity = "relu"}, away_from_kinks}, {"LSTM", {}, nil, true}, {"GRU", {}},
  {"GRU", {reset = "before"}},
} do
  local name, base, draw, pair = table.unpack(class, 1, 4)
  local function case(inputs, options, forward, layouts)
    local all = {}
    for _, from in ipairs {base, options} do
      for key, value in pairs(from) do all[key] = value end
    end
    layer(name, inputs, function() return nn[name](2, 2, all) end,
      {draw = draw, forward = forward, layouts = layouts or {"contiguous"}})
  end
  local function state(...) return pair and {{...}, {...}} or {{...}} end
  local function with(x, list) return {x, table.unpack(list)} end
  case({{2, 2, 2}}, {}, nil, nd.layout_names)
  case(with({3, 2, 2}, state(2, 2, 2)), {bidirectional = true}, pair and paired, nd.layout_names)
  case(with({2, 2, 2}, state(2, 2, 2)), {num_layers = 2, batch_first = true}, pair and paired)
  case({{2, 2, 2}}, {num_layers = 2, bidirectional = true, bias = false})
  case({{2, 2, 2}}, {num_layers = 2, dropout = 0.5})
  case(with({2, 2, 2}, state(2, 2, 2)), {bidirectional = true}, pair and paired_lengths or with_lengths)
  case(with({2, 2}, state(1, 2)), {}, pair and paired)
  case({{2, 0, 2}}, {})

  local cell = name .. "Cell"
  local function build() return nn[cell](2, 2, base) end
  layer(cell, with({2, 2}, state(2, 2)), build, {draw = draw, forward = pair and paired})
  layer(cell, {{2, 2}}, function() return nn[cell](2, 2, {bias = false}) end)
  layer(cell, with({2}, state(2)), build, {draw = draw, forward = pair and paired})
  layer(cell, {{0, 2}}, build, {draw = draw})
end

-- ---- functions -----------------------------------------------------------------------------------

call("linear", {{2, 3}, {2, 3}, {2}})
call("linear", {{0, 3}, {2, 3}})
call("embedding", {{4, 2}, ids(3, 4)}, function(weight, at) return F.embedding(at, weight) end)
call("embedding", {{4, 2}, ids(3, 4)}, function(weight, at)
  return but(4, F.embedding(at, weight, -1), at)
end)
call("layer_norm", {{2, 3}, {3}, {3}}, function(x, weight, bias) return F.layer_norm(x, 3, weight, bias) end)
call("layer_norm", {{2, 3}, {3}}, function(x, bias) return F.layer_norm(x, 3, nil, bias, 0.5) end)
call("pad", {{2, 3}}, function(x) return F.pad(x, {1, -1, 0, 2}, "constant", 3) end)
call("pad", {{0, 2}}, function(x) return F.pad(x, {1, 0}) end)
for _, training in ipairs {true, false} do
  call("dropout", {{2, 3}}, function(x)
    gru.manual_seed(3)
    return F.dropout(x, 0.3, training)
  end)
end
for _, shape in ipairs {{2, 3}, {}, {0, 3}} do
  local x = {{shape, "off_grid"}}
  call("leaky_relu", x, function(y) return F.leaky_relu(y, 0.2) end)
  call("elu", x, function(y) return F.elu(y, 2) end)
  call("gelu", x)
  call("gelu", x, function(y) return F.gelu(y, {approximate = "tanh"}) end)
  call("softplus", x, function(y) return F.softplus(y, {beta = 2, threshold = 1}) end)
  call("logsigmoid", x)
end

-- ---- losses -------------------------------------------------------------------------------------

-- A loss with every reduction; `weights` names the options that are inputs.
local function loss(name, inputs, options, weights)
  local empty = false
  for _, input in ipairs(inputs) do
    empty = empty or nd.numel(type(input[1]) == "table" and input[1] or input) == 0
  end
  for _, reduction in ipairs {"mean", "sum", "none"} do
    local function f(x, target, ...)
      local all = {reduction = reduction}
      for key, value in pairs(options or {}) do all[key] = value end
      for k, key in ipairs(weights or {}) do all[key] = (select(k, ...)) end
      return F[name](x, target, all)
    end
    if not (empty and reduction == "mean") then call(name, inputs, f) end -- a mean of nothing is NaN
  end
end

for _, shape in ipairs {{2, 3}, {}, {0, 3}} do
  local plain = {{shape, "off_grid"}, {shape, "other"}}
  loss("mse_loss", plain)
  loss("l1_loss", plain)
  loss("smooth_l1_loss", plain, {beta = 2})
  loss("smooth_l1_loss", plain, {beta = 0})
  loss("huber_loss", plain, {delta = 2})
  loss("binary_cross_entropy", {{shape, "chance"}, {shape, "chance"}})
  loss("binary_cross_entropy", {{shape, "chance"}, {shape, "chance"}, {{}, "positive"}}, nil, {"weight"})
  loss("binary_cross_entropy_with_logits",
    {{shape, "any"}, {shape, "chance"}, {{}, "positive"}, {{}, "positive"}}, nil, {"weight", "pos_weight"})
  loss("kl_div", {{shape, "any"}, {shape, "positive"}})
  loss("kl_div", {{shape, "any"}, {shape, "any"}}, {log_target = true})
end
call("kl_div", {{{2, 3}, "any"}, {{2, 3}, "positive"}}, function(x, p)
  return F.kl_div(x, p, {reduction = "batchmean"})
end)

local pair = {{{2, 3}, "off_grid"}, {{2, 3}, "other"}}
local chances = {{{2, 3}, "chance"}, {{2, 3}, "chance"}}
local function weighted(class)
  return function() return nn[class] {weight = gru.tensor {0.5, 2.0, 1.5}} end
end
layer("MSELoss", pair, nn.MSELoss)
layer("L1Loss", pair, nn.L1Loss)
layer("SmoothL1Loss", pair, function() return nn.SmoothL1Loss {beta = 2} end)
layer("HuberLoss", pair, function() return nn.HuberLoss {delta = 3} end)
layer("BCELoss", chances, nn.BCELoss)
layer("BCELoss", chances, weighted "BCELoss")
layer("BCEWithLogitsLoss", chances, weighted "BCEWithLogitsLoss")
layer("KLDivLoss", chances, function() return nn.KLDivLoss {reduction = "batchmean"} end)

-- Of class ids: logits, ids, weights that are constants.
for _, form in ipairs {{{3, 4}, {3}}, {{4}, {}}, {{2, 4, 2}, {2, 2}}, {{0, 4}, {0}}} do
  -- not all of them are ignored
  local at = {form[2], function(r, i) return i == 1 and 4 or r(4) end, "int64"}
  for _, options in ipairs {{}, {label_smoothing = 0.2, ignore_index = 2}} do
    loss("cross_entropy", {form[1], at}, options)
    loss("cross_entropy", {form[1], at, {{4}, "positive", "float64"}}, options, {"weight"})
  end
  loss("nll_loss", {form[1], at})
  loss("nll_loss", {form[1], at, {{4}, "positive", "float64"}}, {ignore_index = 1}, {"weight"})
  if #form[1] > 1 then
    loss("cross_entropy", {form[1], {form[1], "positive"}}, {label_smoothing = 0.1})
  end
end
layer("CrossEntropyLoss", {{3, 4}, ids(3, 4)}, nn.CrossEntropyLoss)
layer("CrossEntropyLoss", {{3, 3}, {{3, 3}, "positive"}}, weighted "CrossEntropyLoss")
layer("CrossEntropyLoss", {{3, 3}, ids(3, 3)}, weighted "CrossEntropyLoss")
layer("NLLLoss", {{3, 3}, ids(3, 3)}, weighted "NLLLoss")

-- ---- what stands beside nn.functional ------------------------------------------------------------

add("parameters_to_vector", {{2, 3}, {}, {0}}, {call = function(...)
  return nn.utils.parameters_to_vector {...}
end})
for _, batch_first in ipairs {false, true} do
  add("pad_sequence", {{2, 2}, {3, 2}, {0, 2}}, {call = function(...)
    return nn.utils.rnn.pad_sequence({...}, {batch_first = batch_first, padding_value = 2})
  end})
end

return rows
