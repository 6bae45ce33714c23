--- The functions of the book "Dive into Deep Learning" that its lyrics chapters use, under their
-- names and with their arguments; dictionaries count from 1.
--
-- The two training loops differ as the book's do: `train_and_predict_rnn` zeroes the state at every
-- epoch, `train_and_predict_rnn_pytorch` carries it over from epoch to epoch.
-- @module gru.d2l
local args = require "gru.args"
local clip = require "gru.clip"
local core = require "gru.core"
local Corpus = require "gru.text.corpus"
local functional = require "gru.nn.functional"
local generation = require "gru.text.generation"
local graph = require "gru.graph"
local mode = require "gru.mode"
local nn = require "gru.nn"
local optim = require "gru.optim"
local sampling = require "gru.text.sampling"

local d2l = {}
local ops = core.functions

--- How many characters of the corpus the book trains on.
d2l.MAX_CHARS = 10000

--- Loads a corpus of lyrics.
-- @tparam[opt] string path a UTF-8 text, or a zip holding one; the bundled corpus is at
-- `examples/data/lyrics.txt`
-- @tparam[opt=10000] integer max_chars how many characters to read
-- @return corpus_indices, an int64 tensor
-- @return char_to_idx, a table
-- @return idx_to_char, a table
-- @return vocab_size
function d2l.load_data_jay_lyrics(path, max_chars)
  path = path or "examples/data/lyrics.txt"
  local corpus, message = Corpus.from_file(path, {max_chars = max_chars or d2l.MAX_CHARS})
  if not corpus then error(message, 0) end
  return corpus.indices, corpus.vocab.ids, corpus.vocab.chars, corpus.vocab.size
end

-- Ids (batch, steps) as one-hot vectors (steps, batch, n_class).
local function onehot_steps(who, X, n_class)
  local dims = core.sizes(X)
  if not dims then
    error(("%s: a tensor expected, got %s"):format(who, type(X)), 3)
  elseif dims ~= 2 then
    error(("%s: ids (batch, steps) expected, got %d dims"):format(who, dims), 3)
  end
  return ops.one_hot(ops.transpose(X, 1, 2), n_class)
end

--- One-hot vectors, a list over the steps.
-- @param X int64 (batch, steps)
-- @tparam integer n_class
-- @treturn table steps tensors (batch, n_class), which stay one-hot in memory
function d2l.to_onehot(X, n_class)
  return onehot_steps("to_onehot", X, n_class):unbind(1)
end

--- Iterates over X, Y (batch, steps) of random sampling.
d2l.data_iter_random = sampling.random_batches

--- Iterates over X, Y (batch, steps) of consecutive sampling.
d2l.data_iter_consecutive = sampling.consecutive_batches

local function grads_of(params)
  local grads = {}
  for _, p in ipairs(params) do grads[#grads + 1] = p.grad end
  return grads
end

-- min(1, theta / norm), 0-d; nil where there are no gradients.  The loops hand it to their steps, which
-- saves a pass over all gradients.
local function clip_scale(grads, theta)
  if #grads == 0 then return nil end
  local _ <close> = mode.no_grad()
  local _, scale = clip.norm(grads, 2, theta, 0)
  return scale
end

--- Scales the gradients so that their common norm is at most theta: g = g min(1, theta / norm).
-- The norm stays on the device.
-- @tparam table params
-- @tparam number theta
function d2l.grad_clipping(params, theta)
  args.tensors("grad_clipping", params, "parameters")
  args.number("grad_clipping", "theta", theta)
  local grads = grads_of(params)
  local scale = clip_scale(grads, theta)
  if scale then clip.scale(grads, scale) end
end

-- The step of d2l.sgd with the gradients times `scale`, where there is one.
local function sgd_step(params, lr, scale)
  local items = {}
  for _, p in ipairs(params) do items[#items + 1] = p.grad and {p, p.grad, 1} end
  core.sgd_step(items, {lr = lr, momentum = 0, dampening = 0, weight_decay = 0}, scale)
end

--- p = p - lr grad / batch_size
function d2l.sgd(params, lr, batch_size)
  args.tensors("sgd", params, "parameters")
  args.number("sgd", "lr", lr)
  args.number("sgd", "batch_size", batch_size)
  sgd_step(params, lr / batch_size)
end

-- Raises unless arguments, {name, value, type} each, are of their types.
local function check_types(who, list)
  for _, row in ipairs(list) do
    local kind = math.type(row[2]) == "integer" and row[3] == "integer" and "integer" or type(row[2])
    if kind ~= row[3] then
      error(("%s: %s must be %s %s, got %s"):format(who, row[1], row[3] == "integer" and "an" or "a",
        row[3], kind), 3)
    end
  end
end

-- The ids of a prefix, by the character table of the corpus.
local function encode(prefix, char_to_idx)
  local ids = {}
  if type(prefix) ~= "string" or not utf8.len(prefix) or prefix == "" then
    error(("prefix '%s': a UTF-8 text of one character or more expected"):format(tostring(prefix)), 3)
  end
  for _, code in utf8.codes(prefix) do
    local char = utf8.char(code)
    ids[#ids + 1] = char_to_idx[char] or error(
      ("prefix '%s': the corpus has no '%s' (U+%04X)"):format(prefix, char, code), 3)
  end
  return ids
end

local function most_likely(logits) return logits:argmax():item() end

-- The prefix, and num_chars characters behind it: step(id, state) -> logits, state.
local function predict(prefix, num_chars, step, state, idx_to_char, char_to_idx)
  local _ <close> = mode.no_grad()
  local text = {prefix}
  local next_id = generation.ids(step, encode(prefix, char_to_idx), most_likely, state)
  for i = 1, num_chars do text[i + 1] = idx_to_char[next_id()] end
  return table.concat(text)
end

--- Continues a prefix by num_chars characters, the most likely one each time, with a network
-- written from scratch.
function d2l.predict_rnn(prefix, num_chars, rnn, params, init_rnn_state, num_hiddens, vocab_size,
                         device, idx_to_char, char_to_idx)
  check_types("predict_rnn", {
    {"prefix", prefix, "string"}, {"num_chars", num_chars, "integer"}, {"rnn", rnn, "function"},
    {"params", params, "table"}, {"init_rnn_state", init_rnn_state, "function"},
    {"idx_to_char", idx_to_char, "table"}, {"char_to_idx", char_to_idx, "table"},
  })
  local function step(id, state)
    local outputs
    outputs, state = rnn(d2l.to_onehot(generation.input(id, device), vocab_size), state, params)
    return outputs[1], state
  end
  return predict(prefix, num_chars, step, init_rnn_state(1, num_hiddens, device), idx_to_char,
    char_to_idx)
end

local function detach_all(state)
  if core.is_tensor(state) then return state:detach() end
  local detached = {}
  for i, s in ipairs(state) do detached[i] = s:detach() end
  return detached
end

-- Loss times tokens, summed on the device; the epoch reads it once.
local function add_loss(sum, loss, tokens)
  return sum:add_(loss:detach() * tokens)
end

local function requires_grad(state)
  if core.is_tensor(state) then return state.requires_grad end
  for _, s in ipairs(state or {}) do
    if s.requires_grad then return true end
  end
  return false
end

-- A training step (X, Y, state) -> state, which a CUDA device repeats as a graph.  A state that is trained
-- itself is no argument of a graph's.
local function repeated(step, sum)
  if sum.device == "cpu" then return step end
  local as_graph = graph(step)
  return function(X, Y, state)
    if requires_grad(state) then return step(X, Y, state) end
    return as_graph(X, Y, state)
  end
end

--- What a loop tells of an epoch.  `train_and_predict_*` call a reporter after every epoch; the default
-- one prints the report lines of the article every `pred_period` epochs.
-- @tfield integer epoch
-- @tfield number perplexity exp of the mean loss over the epoch's tokens
-- @tfield number seconds the epoch's own time
-- @tfield integer tokens
-- @tfield function predict writes the texts: a function from a prefix to a text
-- @table Epoch

--- Prints an epoch as the article does.
-- @tparam Epoch e
-- @tparam table prefixes
function d2l.print_epoch(e, prefixes)
  check_types("print_epoch", {{"e", e, "table"}, {"prefixes", prefixes, "table"}})
  print(("epoch %d, perplexity %f, time %.2f sec"):format(e.epoch, e.perplexity, e.seconds))
  for _, prefix in ipairs(prefixes) do print(" - " .. e.predict(prefix)) end
  io.stdout:flush()
end

local function perplexity(loss_sum, tokens)
  return math.exp(loss_sum / tokens)
end

-- Seconds that pass, not those of the processor.
local clock = core.clock

-- Runs the epochs: run_epoch() -> loss sum (0-d tensor), tokens.
local function epochs(num_epochs, run_epoch, predict_one, pred_period, prefixes, reporter)
  if math.type(pred_period) ~= "integer" or pred_period < 1 then
    error("pred_period must be a positive integer, got " .. tostring(pred_period), 3)
  end
  for epoch = 1, num_epochs do
    local start = clock()
    local sum, tokens = run_epoch(epoch)
    local loss = sum:item()
    local e = {
      epoch = epoch, perplexity = perplexity(loss, tokens), seconds = clock() - start,
      tokens = tokens, predict = predict_one, report = epoch % pred_period == 0,
    }
    if reporter then
      reporter(e)
    elseif e.report then
      d2l.print_epoch(e, prefixes)
    end
  end
end

--- Trains a network written from scratch by SGD, and writes texts as it goes.
-- @tparam function rnn `rnn(inputs, state, params) -> outputs, state`; inputs and outputs are lists
-- over the steps, state a table of tensors
-- @tparam function get_params `get_params() -> params`, a table of parameters
-- @tparam function init_rnn_state `init_rnn_state(batch_size, num_hiddens, device) -> state`
-- @tparam integer num_hiddens
-- @tparam integer vocab_size
-- @tparam string device
-- @param corpus_indices int64 (length)
-- @tparam table idx_to_char
-- @tparam table char_to_idx
-- @tparam boolean is_random_iter random sampling, the state new at every batch; else consecutive
-- sampling, the state new at every epoch
-- @tparam integer num_epochs
-- @tparam integer num_steps
-- @tparam number lr
-- @tparam number clipping_theta
-- @tparam integer batch_size
-- @tparam integer pred_period
-- @tparam integer pred_len
-- @tparam table prefixes
-- @tparam[opt] function reporter called with every `Epoch` in place of the printing
function d2l.train_and_predict_rnn(rnn, get_params, init_rnn_state, num_hiddens, vocab_size, device,
                                   corpus_indices, idx_to_char, char_to_idx, is_random_iter,
                                   num_epochs, num_steps, lr, clipping_theta, batch_size,
                                   pred_period, pred_len, prefixes, reporter)
  check_types("train_and_predict_rnn", {
    {"rnn", rnn, "function"}, {"get_params", get_params, "function"},
    {"init_rnn_state", init_rnn_state, "function"}, {"idx_to_char", idx_to_char, "table"},
    {"char_to_idx", char_to_idx, "table"}, {"num_epochs", num_epochs, "integer"},
    {"num_steps", num_steps, "integer"}, {"lr", lr, "number"},
    {"clipping_theta", clipping_theta, "number"}, {"batch_size", batch_size, "integer"},
    {"pred_period", pred_period, "integer"}, {"pred_len", pred_len, "integer"},
    {"prefixes", prefixes, "table"},
  })
  local data_iter = is_random_iter and d2l.data_iter_random or d2l.data_iter_consecutive
  local params = get_params()
  for _, prefix in ipairs(prefixes) do encode(prefix, char_to_idx) end

  local loss_sum = core.empty({}, "float64", device)

  local step = repeated(function(X, Y, state)
    local outputs
    outputs, state = rnn(d2l.to_onehot(X, vocab_size), state, params)
    -- outputs are (batch, vocab) a step; the targets in the same order
    local y = Y:t():reshape(-1)
    local loss = functional.cross_entropy(ops.cat(outputs, 1), y)
    for _, p in ipairs(params) do p.grad = nil end
    loss:backward()
    sgd_step(params, lr, clip_scale(grads_of(params), clipping_theta))
    add_loss(loss_sum, loss, y:numel())
    return state
  end, loss_sum)

  local function run_epoch()
    local state, tokens = not is_random_iter and init_rnn_state(batch_size, num_hiddens, device), 0
    loss_sum:fill_(0)
    for X, Y in data_iter(corpus_indices, batch_size, num_steps, device) do
      if is_random_iter then
        state = init_rnn_state(batch_size, num_hiddens, device)
      else
        state = detach_all(state)
      end
      state = step(X, Y, state)
      tokens = tokens + Y:numel()
    end
    return loss_sum, tokens
  end

  local function predict_one(prefix)
    return d2l.predict_rnn(prefix, pred_len, rnn, params, init_rnn_state, num_hiddens, vocab_size,
      device, idx_to_char, char_to_idx)
  end

  epochs(num_epochs, run_epoch, predict_one, pred_period, prefixes, reporter)
end

--- A recurrent layer with an output layer on top.
-- `model(inputs, state)`: inputs int64 (batch, steps) -> logits (steps * batch, vocab_size), state.
-- @function RNNModel
-- @tparam nn.Module rnn_layer
-- @tparam integer vocab_size
d2l.RNNModel = nn.Module:extend("RNNModel")

function d2l.RNNModel:init(rnn_layer, vocab_size)
  if not nn.is_module(rnn_layer) or not rnn_layer.hidden_size then
    error("RNNModel: a recurrent layer expected, got "
      .. (nn.is_module(rnn_layer) and tostring(rnn_layer) or type(rnn_layer)), 3)
  elseif math.type(vocab_size) ~= "integer" or vocab_size < 1 then
    error("RNNModel: vocab_size must be a positive integer, got " .. tostring(vocab_size), 3)
  end
  self.rnn = rnn_layer
  self.vocab_size = vocab_size
  self.hidden_size = rnn_layer.hidden_size * (rnn_layer.bidirectional and 2 or 1)
  self.dense = nn.Linear(self.hidden_size, vocab_size)
end

function d2l.RNNModel:forward(inputs, state)
  local X = onehot_steps("RNNModel", inputs, self.vocab_size)
  local output
  output, state = self.rnn(X, state)
  return self.dense(output:reshape(-1, self.hidden_size)), state
end

--- Continues a prefix by num_chars characters, the most likely one each time, with a model.
function d2l.predict_rnn_pytorch(prefix, num_chars, model, _, device, idx_to_char, char_to_idx)
  check_types("predict_rnn_pytorch", {
    {"prefix", prefix, "string"}, {"num_chars", num_chars, "integer"},
    {"idx_to_char", idx_to_char, "table"}, {"char_to_idx", char_to_idx, "table"},
  })
  local function step(id, state)
    return model(generation.input(id, device), state)
  end
  return predict(prefix, num_chars, step, nil, idx_to_char, char_to_idx)
end

--- Trains a model with Adam on consecutive batches, and writes texts as it goes.  Arguments as of
-- `train_and_predict_rnn`.
function d2l.train_and_predict_rnn_pytorch(model, num_hiddens, vocab_size, device, corpus_indices,
                                           idx_to_char, char_to_idx, num_epochs, num_steps, lr,
                                           clipping_theta, batch_size, pred_period, pred_len,
                                           prefixes, reporter)
  if not nn.is_module(model) then
    error("train_and_predict_rnn_pytorch: model must be a module, got " .. type(model), 2)
  end
  if model.rnn and model.rnn.hidden_size ~= num_hiddens then
    error(("train_and_predict_rnn_pytorch: num_hiddens is %s, the model has %s")
      :format(tostring(num_hiddens), tostring(model.rnn.hidden_size)), 2)
  end
  check_types("train_and_predict_rnn_pytorch", {
    {"idx_to_char", idx_to_char, "table"}, {"char_to_idx", char_to_idx, "table"},
    {"num_epochs", num_epochs, "integer"}, {"num_steps", num_steps, "integer"}, {"lr", lr, "number"},
    {"clipping_theta", clipping_theta, "number"}, {"batch_size", batch_size, "integer"},
    {"pred_period", pred_period, "integer"}, {"pred_len", pred_len, "integer"},
    {"prefixes", prefixes, "table"},
  })
  for _, prefix in ipairs(prefixes) do encode(prefix, char_to_idx) end
  model:to(device)
  local params = model:parameters()
  local optimizer = optim.Adam(params, {lr = lr})
  local state, loss_sum = nil, core.empty({}, "float64", device)

  local step = repeated(function(X, Y, before)
    local output, after = model(X, before)
    local y = Y:t():reshape(-1)
    local loss = functional.cross_entropy(output, y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step(nil, {grad_scale = clip_scale(grads_of(params), clipping_theta)})
    add_loss(loss_sum, loss, y:numel())
    return after
  end, loss_sum)

  local function run_epoch()
    local tokens = 0
    loss_sum:fill_(0)
    for X, Y in d2l.data_iter_consecutive(corpus_indices, batch_size, num_steps, device) do
      state = step(X, Y, state and detach_all(state))
      tokens = tokens + Y:numel()
    end
    return loss_sum, tokens
  end

  local function predict_one(prefix)
    return d2l.predict_rnn_pytorch(prefix, pred_len, model, vocab_size, device, idx_to_char,
      char_to_idx)
  end

  epochs(num_epochs, run_epoch, predict_one, pred_period, prefixes, reporter)
end

return d2l
