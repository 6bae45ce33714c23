--- A corpus: a text as ids, and its vocabulary.
-- @module gru.text.corpus
local args = require "gru.args"
local core = require "gru.core"
local Vocab = require "gru.text.vocab"

local Corpus = {}
Corpus.__index = Corpus

local known = {max_chars = true, tokenizer = true}

--- Reads a UTF-8 text, or a zip that holds one.  Newlines become spaces.
--
-- The file is streamed: a text of 1 GB needs its ids, no table of characters.
-- @usage local corpus = gru.text.Corpus.from_file("examples/data/lyrics.txt", {max_chars = 10000})
-- @tparam string path
-- @tparam[opt] table options `max_chars`: read no more than these; `tokenizer`: "char", the only one
-- @treturn[1] Corpus with `indices` (int64 ids) and `vocab`
-- @treturn[2] nil
-- @treturn[2] string what is wrong with the file
function Corpus.from_file(path, options)
  if type(path) ~= "string" then error("Corpus: a path expected, got " .. type(path), 2) end
  if path:find("\0", 1, true) then error("Corpus: the path holds a NUL", 2) end
  options = args.options("Corpus", options, known)
  if options.tokenizer and options.tokenizer ~= "char" then
    error(("Corpus: tokenizer must be \"char\", got '%s'"):format(tostring(options.tokenizer)), 2)
  end
  local max_chars = options.max_chars
  if max_chars ~= nil and (math.type(max_chars) ~= "integer" or max_chars < 1) then
    error(("Corpus: max_chars must be a positive integer, got %s"):format(tostring(max_chars)), 2)
  end
  local indices, chars = core.read_text(path, max_chars)
  if not indices then return nil, chars end
  return setmetatable({indices = indices, vocab = Vocab.new(chars)}, Corpus)
end

--- How many characters there are.
function Corpus:__len() return self.indices:numel() end

return Corpus
