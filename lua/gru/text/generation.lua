--- Text from a recurrent language model, one character after the other.
-- @module gru.text.generation
local args = require "gru.args"
local choose = require "gru.text.choose"
local core = require "gru.core"
local evaluating = require "gru.evaluating"
local nn = require "gru.nn"
local Stream = require "gru.stream"

local generation = {}

--- The loop that all generation shares: an iterator over ids.  The first call feeds `ids`, later ones
-- what they chose last; what was before is in the state alone.
-- @tparam function step `step(id, state) -> logits, state`; the first state is `state`
-- @tparam table ids of the prompt, one or more
-- @tparam function pick from logits to an id
-- @param state the first state
-- @treturn function
function generation.ids(step, ids, pick, state)
  local last
  return function()
    local logits
    if last then
      logits, state = step(last, state)
    else
      for _, id in ipairs(ids) do logits, state = step(id, state) end
    end
    last = pick(logits)
    return last
  end
end

local row = {0}
local batch = {row} -- filled anew for every id

--- An id as models take it: int64 (1, 1).
-- @tparam integer id
-- @tparam string device
function generation.input(id, device)
  row[1] = id
  return core.from_table(batch, "int64", device)
end

local known = {length = true, temperature = true, top_k = true, top_p = true, seed = true}

-- `level` is that of who is to blame, as of `error`; 0 for nobody.
local function fail(level, message, ...) error("generate: " .. message:format(...), level) end

-- The options, checked; all that draw want a temperature.
local function read(options)
  options = args.options("generate", options, known, 4)
  local length, temperature = options.length or 100, options.temperature or 0
  if length ~= math.huge and (math.type(length) ~= "integer" or length < 0) then
    fail(4, "length must be an integer from 0 on, or math.huge, got %s", tostring(length))
  elseif type(temperature) ~= "number" or not (temperature >= 0 and temperature < math.huge) then
    fail(4, "temperature must be a number from 0 on, got %s", tostring(temperature))
  end
  local top_k, top_p, seed = options.top_k, options.top_p, options.seed
  if top_k ~= nil and (math.type(top_k) ~= "integer" or top_k < 1) then
    fail(4, "top_k must be a positive integer, got %s", tostring(top_k))
  elseif top_p ~= nil and (type(top_p) ~= "number" or not (top_p > 0 and top_p <= 1)) then
    fail(4, "top_p must be a number above 0, at most 1, got %s", tostring(top_p))
  elseif seed ~= nil and math.type(seed) ~= "integer" then
    fail(4, "seed must be an integer, got %s", tostring(seed))
  end
  for _, name in ipairs {"top_k", "top_p", "seed"} do
    if options[name] ~= nil and temperature == 0 then
      fail(4, "%s wants a temperature above 0; without one the most likely character is taken, and "
        .. "nothing is drawn", name)
    end
  end
  return {length = length, temperature = temperature, top_k = top_k, top_p = top_p, seed = seed}
end

-- What draws, or not, by the options.
local function picker(options)
  if options.temperature == 0 then return choose.greedy end
  local stream = options.seed and Stream.new(options.seed)
  return choose.sampler(options, function()
    if stream then return stream:uniform() end
    return core.empty({}, "float64", "cpu"):uniform_():item()
  end)
end

-- One step of a model: the scores of the character behind `id`, (size).
local function stepper(model, size)
  local first = nn.is_module(model) and model:parameters()[1]
  local device = first and first.device or core.get_default_device()
  return function(id, state)
    local logits
    logits, state = model(generation.input(id, device), state)
    if not core.is_tensor(logits) or logits:dim() == 0 or logits:size(-1) ~= size then
      fail(0, "the model gave %s for a vocabulary of %d; logits (..., %d) expected",
        core.is_tensor(logits) and "[" .. table.concat(logits.shape, ", ") .. "]" or type(logits), size, size)
    end
    return logits:reshape(-1, size)[-1], state
  end
end

--- Continues a text, one character at every turn of the loop:
--
--     for char in gru.text.generate(model, corpus.vocab, "分开", {length = 50}) do io.write(char) end
--
-- The model is a module or a function `model(input, state) -> logits, state`: `input` is one id, int64
-- (1, 1), on the device of its parameters; `state` is nil at first, then whatever the last call returned;
-- `logits` end in a dim of the vocabulary's size, and the last row counts.  `gru.d2l.RNNModel` is such a
-- model.  The cost of a character does not depend on how many came before.
--
-- Every turn runs unrecorded and, where the model is a module, in evaluation mode, and puts back what
-- was: the loop may be left at any time, and its body may train.
-- @usage local lm, vocab = gru.d2l.RNNModel(nn.GRU(4, 8), 4), gru.text.Vocab.new({"a", "b", "c", " "})
-- for char in gru.text.generate(lm, vocab, "ab", {length = 20, temperature = 0.8, top_k = 3, seed = 1}) do
--   print(char)
-- end
-- @param model
-- @tparam Vocab vocab that the model was trained with
-- @tparam string prompt UTF-8, one character or more, all of the vocabulary
-- @tparam[opt] table options `length` (100; `math.huge` for no end), `temperature` (0: the most likely
-- character each time; above 0, one is drawn from softmax(logits / temperature)), and with a temperature
-- `top_k` (draw among the k most likely), `top_p` (among the fewest that have this chance together), `seed`
-- (draw from a stream of its own; without it, from the generator of `gru.manual_seed`)
-- @treturn function an iterator over characters and their ids; the prompt is not among them
function generation.generate(model, vocab, prompt, options)
  if type(model) ~= "function" and not nn.is_module(model) then
    fail(3, "a module or a function expected as the model, got %s",
      core.is_tensor(model) and "a tensor" or type(model))
  elseif type(vocab) ~= "table" or not (vocab.encode and vocab.char and vocab.size) then
    fail(3, "a vocabulary expected, such as corpus.vocab, got %s", type(vocab))
  elseif type(prompt) ~= "string" or prompt == "" then
    fail(3, "prompt: a text of one character or more expected, got %s",
      prompt == "" and "an empty one" or type(prompt))
  end
  options = read(options)
  local ids, problem = vocab:encode(prompt)
  if not ids then fail(3, "prompt: %s", problem) end
  local modules = nn.is_module(model) and model:modules() or {}
  local next_id, left = generation.ids(stepper(model, vocab.size), ids, picker(options)), options.length
  return function()
    if left == 0 then return nil end
    left = left - 1
    local _ <close> = evaluating(modules)
    local id = next_id()
    return vocab:char(id), id
  end
end

return generation
