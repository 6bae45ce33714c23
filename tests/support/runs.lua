--- Trainings that end in one number: a hash of every parameter and of all state of the optimiser.
--
-- Both halves of the article, as large as one likes; `size` has chars, hidden, steps, batch, epochs.
local gru = require "gru"
local here = gru.get_default_device

local runs = {}
local d2l, nn, optim = gru.d2l, gru.nn, gru.optim

--- A hash of the bits of tensors and texts, in order.
function runs.hash(list)
  local h = 0x7A3F5C1D9E8B2463
  local function add(word)
    h = (h ~ word) * 0x100000001B3
    h = h ~ (h >> 29)
  end
  for _, x in ipairs(list) do
    local bytes = gru.is_tensor(x) and x:data() or x
    bytes = bytes .. ("\0"):rep(-#bytes % 8)
    for i = 1, #bytes, 8 do add((string.unpack("<i8", bytes, i))) end
    add(#bytes)
  end
  return ("%016x"):format(h)
end

-- Parameters, then the state of each by name.
local function all_of(params, optimizer)
  local list = {table.unpack(params)}
  for i = 1, #params do
    local keys, state = {}, optimizer:state_dict().state[i] or {}
    for key in pairs(state) do keys[#keys + 1] = key end
    table.sort(keys)
    for _, key in ipairs(keys) do
      list[#list + 1] = gru.is_tensor(state[key]) and state[key] or key .. "=" .. tostring(state[key])
    end
  end
  return list
end

--- A recurrent layer with an output layer, on one-hot text.
-- @tparam table size
-- @tparam string name of the optimiser
-- @tparam[opt] table options of it
-- @tparam[opt] function layer makes the layer from (vocab_size, hidden); nn.GRU unless given
-- @return the hash
function runs.layers(size, name, options, layer)
  gru.manual_seed(size.seed or 0)
  local ids, _, _, vocab = d2l.load_data_jay_lyrics(nil, size.chars)
  local model = d2l.RNNModel((layer or nn.GRU)(vocab, size.hidden), vocab)
  local params = model:parameters()
  local optimizer = optim[name](params, options)
  for _ = 1, size.epochs do
    local batches = layer and d2l.data_iter_random or d2l.data_iter_consecutive
    for X, Y in batches(ids, size.batch, size.steps) do
      optimizer:zero_grad()
      nn.functional.cross_entropy(model(X), Y:t():reshape(-1)):backward()
      nn.utils.clip_grad_norm_(params, 0.5)
      optimizer:step()
    end
  end
  return runs.hash(all_of(params, optimizer))
end

--- The article's GRU from scratch, by the book's loop: parameters, perplexities, and a text.
function runs.scratch(size)
  gru.manual_seed(size.seed or 0)
  local ids, char_to_idx, idx_to_char, vocab = d2l.load_data_jay_lyrics(nil, size.chars)
  local hidden, params, results = size.hidden, {}, {}
  local function get_params()
    for _, shape in ipairs {{vocab, hidden}, {hidden, hidden}, {vocab, hidden}, {hidden, hidden},
      {vocab, hidden}, {hidden, hidden}, {hidden, vocab}} do
      params[#params + 1] = nn.Parameter(gru.randn(shape) * 0.01)
    end
    for _, n in ipairs {hidden, hidden, hidden, vocab} do params[#params + 1] = nn.Parameter(gru.zeros(n)) end
    return params
  end
  local function rnn(inputs, state, p)
    local W_xz, W_hz, W_xr, W_hr, W_xh, W_hh, W_hq, b_z, b_r, b_h, b_q = table.unpack(p)
    local H, outputs = state[1], {}
    for t, X in ipairs(inputs) do
      local Z = gru.sigmoid(X:matmul(W_xz) + H:matmul(W_hz) + b_z)
      local R = gru.sigmoid(X:matmul(W_xr) + H:matmul(W_hr) + b_r)
      H = Z * H + (1 - Z) * gru.tanh(X:matmul(W_xh) + (R * H):matmul(W_hh) + b_h)
      outputs[t] = H:matmul(W_hq) + b_q
    end
    return outputs, {H}
  end
  local function state(batch, n) return {gru.zeros(batch, n)} end
  d2l.train_and_predict_rnn(rnn, get_params, state, hidden, vocab, here(), ids, idx_to_char, char_to_idx,
    false, size.epochs, size.steps, 1e2, 1e-2, size.batch, 1, 20, {"分开"}, function(e)
      results[#results + 1] = ("%a"):format(e.perplexity)
      if e.epoch == size.epochs then results[#results + 1] = e.predict("分开") end
    end)
  params[#params + 1] = table.concat(results, " ")
  return runs.hash(params)
end

return runs
