-- Greedy writing with the article's second model, one character after the other: seconds a character.
-- And seconds of a single product which reads as many weights: the least that a character can take.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local gru = require "gru"

local args = side.arguments()
local _, char_to_idx, idx_to_char, vocab_size = gru.d2l.load_data_jay_lyrics(args.corpus)
local model = gru.d2l.RNNModel(gru.nn.GRU(vocab_size, args.hidden), vocab_size)
local count = math.tointeger(args.count)
local seconds = side.time(args.samples, 1, function()
  gru.d2l.predict_rnn_pytorch(args.prefix, count, model, vocab_size, "cpu", idx_to_char, char_to_idx)
end)
for i, s in ipairs(seconds) do seconds[i] = s / count end

-- All of the output layer's and of W_hh's are read for a character, and one column of W_ih.
local rows = vocab_size + 3 * args.hidden
local state, weights = gru.rand(1, args.hidden), gru.rand(rows, args.hidden):t()
local floor = side.time(args.samples, count, function() gru.matmul(state, weights) end)
side.print {char = seconds, floor = floor}
