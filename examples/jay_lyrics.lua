--- Writing song lyrics with a gated recurrent unit, twice: from scratch, and with nn.GRU.
--
--     gru-lua examples/jay_lyrics.lua
--     gru-lua examples/jay_lyrics.lua --corpus jaychou_lyrics.txt.zip --half scratch
--
-- A character model learns a corpus of lyrics by heart; every 40 of 160 epochs it prints its
-- perplexity, the time of the epoch, and what it writes after each prefix.
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path

local gru = require "gru"
local options = require "jay_lyrics.options"
local report = require "jay_lyrics.report"
local d2l, nn = gru.d2l, gru.nn

local config = options.read(arg, here)
local device = config.device
local corpus_indices, char_to_idx, idx_to_char, vocab_size = options.load_corpus(config)

local num_hiddens = config.hidden
local num_epochs, num_steps, batch_size = config.epochs, config.steps, config.batch
local clipping_theta, prefixes = config.clip, config.prefixes
local pred_period, pred_len = config.period, config.length

-- ---- the model from scratch ------------------------------------------------------------

local num_inputs, num_outputs = vocab_size, vocab_size

local function get_params()
  local function one(...)
    return nn.Parameter(gru.randn(..., {device = device}) * 0.01)
  end
  local function three()
    return one({num_inputs, num_hiddens}), one({num_hiddens, num_hiddens}),
      nn.Parameter(gru.zeros(num_hiddens, {device = device}))
  end
  local W_xz, W_hz, b_z = three() -- update gate
  local W_xr, W_hr, b_r = three() -- reset gate
  local W_xh, W_hh, b_h = three() -- candidate hidden state
  local W_hq = one({num_hiddens, num_outputs}) -- output layer
  local b_q = nn.Parameter(gru.zeros(num_outputs, {device = device}))
  return {W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q}
end

local function init_gru_state(batch, hiddens, on_device)
  return {gru.zeros(batch, hiddens, {device = on_device})}
end

-- inputs: num_steps matrices (batch, vocab); H: (batch, hiddens); outputs: as the inputs.
local function gru_cell(inputs, state, params)
  local W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = table.unpack(params)
  local H, outputs = state[1], {}
  for t, X in ipairs(inputs) do
    local Z = gru.sigmoid(gru.matmul(X, W_xz) + gru.matmul(H, W_hz) + b_z)
    local R = gru.sigmoid(gru.matmul(X, W_xr) + gru.matmul(H, W_hr) + b_r)
    local H_tilda = gru.tanh(gru.matmul(X, W_xh) + gru.matmul(R * H, W_hh) + b_h)
    H = Z * H + (1 - Z) * H_tilda
    outputs[t] = gru.matmul(H, W_hq) + b_q
  end
  return outputs, {H}
end

local function train_from_scratch()
  local lr = config.lr or 1e2
  d2l.train_and_predict_rnn(gru_cell, get_params, init_gru_state, num_hiddens, vocab_size, device,
    corpus_indices, idx_to_char, char_to_idx, false, num_epochs, num_steps, lr, clipping_theta,
    batch_size, pred_period, pred_len, prefixes, report.reporter(config, "scratch"))
end

-- ---- the same with nn.GRU --------------------------------------------------------------------

local function train_with_nn()
  local lr = config.lr or 1e-2
  local gru_layer = nn.GRU(vocab_size, num_hiddens)
  local model = d2l.RNNModel(gru_layer, vocab_size):to(device)
  d2l.train_and_predict_rnn_pytorch(model, num_hiddens, vocab_size, device, corpus_indices,
    idx_to_char, char_to_idx, num_epochs, num_steps, lr, clipping_theta, batch_size, pred_period,
    pred_len, prefixes, report.reporter(config, "nn"))
end

-- ---- both ---------------------------------------------------------------------------------------

local halves = {
  {name = "scratch", title = "A GRU from scratch", train = train_from_scratch},
  {name = "nn", title = "nn.GRU", train = train_with_nn},
}

for _, half in ipairs(halves) do
  if config.half == "both" or config.half == half.name then
    print(("# %s, on %s"):format(half.title, device))
    gru.manual_seed(config.seed, config.generator)
    half.train()
  end
end
report.close(config)
