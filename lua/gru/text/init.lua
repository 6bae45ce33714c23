--- Text: corpora, vocabularies, sampling of training batches, and what a model writes.
-- @module gru.text
local sampling = require "gru.text.sampling"

return {
  Corpus = require "gru.text.corpus",
  Vocab = require "gru.text.vocab",
  random_batches = sampling.random_batches,
  consecutive_batches = sampling.consecutive_batches,
  generate = require("gru.text.generation").generate,
}
