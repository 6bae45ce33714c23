--- Text as data: corpora, vocabularies, sampling of training batches.
-- @module gru.text
local sampling = require "gru.text.sampling"

return {
  Corpus = require "gru.text.corpus",
  Vocab = require "gru.text.vocab",
  random_batches = sampling.random_batches,
  consecutive_batches = sampling.consecutive_batches,
}
