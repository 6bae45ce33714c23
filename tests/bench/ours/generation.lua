-- Greedy writing with the article's second model, one character after the other: seconds a character.
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
side.print {char = seconds}
