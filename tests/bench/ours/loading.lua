-- Reading a corpus, and an epoch of a small model over it: seconds a character of each.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local gru = require "gru"

local args = side.arguments()
local corpus
local function load() corpus = assert(gru.text.Corpus.from_file(args.corpus)) end
local loading = side.time(args.samples, 1, load)

local model = gru.d2l.RNNModel(gru.nn.GRU(corpus.vocab.size, 16), corpus.vocab.size)
local optimizer = gru.optim.Adam(model:parameters(), {lr = 1e-3})
local epoch = side.time(1, 1, function()
  for X, Y in gru.text.consecutive_batches(corpus.indices, 64, 35) do
    optimizer:zero_grad()
    gru.nn.functional.cross_entropy((model(X)), Y:t():reshape(-1)):backward()
    optimizer:step()
  end
end)
for _, list in ipairs {loading, epoch} do
  for i, s in ipairs(list) do list[i] = s / #corpus end
end
side.print {loading = loading, epoch = epoch}
