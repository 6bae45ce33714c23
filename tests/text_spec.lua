-- gru.text: corpora from files, vocabularies, sampling of batches.
local gru = require "gru"
local expect = require "tests.support.expect"

local text = gru.text

local raises = expect.raises

-- ---- files --------------------------------------------------------------------------------------

local made = {}

-- A file with these bytes; gone after the specs.
local function file(bytes)
  local path = os.tmpname()
  made[#made + 1] = path
  local f = assert(io.open(path, "wb"))
  f:write(bytes)
  f:close()
  return path
end

local function read(bytes, options) return text.Corpus.from_file(file(bytes), options) end

-- What from_file says of these bytes; it must fail.
local function message_of(bytes, options)
  local corpus, message = read(bytes, options)
  assert.is_nil(corpus)
  assert.equal("string", type(message))
  return message
end

describe("Corpus.from_file", function()
  teardown(function()
    for _, path in ipairs(made) do os.remove(path) end
  end)

  it("numbers characters from 1 in the order of first appearance", function()
    local corpus = assert(read "想要有直升机 想要 a要")
    assert.equal("int64", corpus.indices.dtype)
    assert.same({1, 2, 3, 4, 5, 6, 7, 1, 2, 7, 8, 2}, corpus.indices:totable())
    assert.equal(8, corpus.vocab.size)
    assert.same({"想", "要", "有", "直", "升", "机", " ", "a"}, corpus.vocab.chars)
    assert.equal(12, #corpus)
    assert.equal("想要有直升机 想要 a要", corpus.vocab:decode(corpus.indices))
  end)

  it("makes a space of every newline", function()
    local corpus = assert(read "a\nb\r\nc d\n")
    assert.same({1, 2, 3, 2, 2, 4, 2, 5, 2}, corpus.indices:totable())
    assert.equal("a b  c d ", corpus.vocab:decode(corpus.indices))
    assert.is_nil(corpus.vocab:index "\n")
  end)

  it("reads at most max_chars characters, not bytes", function()
    local corpus = assert(read("好好学习天天向上", {max_chars = 5}))
    assert.same({1, 1, 2, 3, 4}, corpus.indices:totable())
    assert.equal(4, corpus.vocab.size)
    assert.equal(8, #assert(read("好好学习天天向上", {max_chars = 100})))
  end)

  it("does not look at what stands behind max_chars", function()
    assert.equal(2, #assert(read("ab\xff\xff", {max_chars = 2})))
  end)

  it("skips a byte order mark at the start", function()
    local corpus = assert(read "\xEF\xBB\xBF雨a\xEF\xBB\xBF")
    assert.same({1, 2, 3}, corpus.indices:totable())
    assert.equal("雨", corpus.vocab:char(1))
    assert.equal("\xEF\xBB\xBF", corpus.vocab:char(3))
    assert.same({1}, assert(read("\xEF\xBB\xBF雨a", {max_chars = 1})).indices:totable())
  end)

  it("reads characters of one to four bytes", function()
    local corpus = assert(read "aé雨😀")
    assert.same({"a", "é", "雨", "😀"}, corpus.vocab.chars)
  end)

  it("puts characters together across the blocks it reads in", function()
    for shift = 0, 2 do
      local want = ("x"):rep(65536 - shift) .. "雨雪" .. ("好"):rep(30000)
      local corpus = assert(read(want))
      assert.equal(utf8.len(want), #corpus)
      assert.same({"x", "雨", "雪", "好"}, corpus.vocab.chars)
      assert.equal(want, corpus.vocab:decode(corpus.indices))
    end
  end)

  it("says where the text is not valid UTF-8", function()
    assert.truthy(message_of("ab\xffc"):find "invalid UTF%-8 at byte 2 %(line 1%)")
    assert.truthy(message_of("好\n好\n\n好\xe5\xa5"):find "invalid UTF%-8 at byte 12 %(line 4%)")
    assert.truthy(message_of("a\n\xc0\xaf"):find "byte 2 %(line 2%)") -- overlong
    assert.truthy(message_of("\xed\xa0\x80"):find "byte 0 %(line 1%)") -- a surrogate
    assert.truthy(message_of("a\xf4\x90\x80\x80"):find "byte 1 %(line 1%)") -- past U+10FFFF
    assert.truthy(message_of("a\0b"):find "byte 1 %(line 1%).*binary")
    local far = ("好\n"):rep(30000) .. "\xff"
    assert.truthy(message_of(far):find "byte 120000 %(line 30001%)")
  end)

  it("names the file", function()
    local path = file "\xff"
    local _, message = text.Corpus.from_file(path)
    assert.truthy(message:find(path, 1, true))
  end)

  it("returns nil and a message for what cannot be read", function()
    local corpus, message = text.Corpus.from_file "/nowhere/x.txt"
    assert.is_nil(corpus)
    assert.truthy(message:find "/nowhere/x.txt.*No such file")
    corpus, message = text.Corpus.from_file "/tmp"
    assert.is_nil(corpus)
    assert.truthy(message:find "/tmp.*directory")
    assert.truthy(message_of(""):find "empty")
    assert.truthy(message_of("\xEF\xBB\xBF"):find "empty")
    assert.truthy(message_of("PK\3\4 no zip at all"):find "zip")
  end)

  it("raises for bad options", function()
    raises("Corpus: unknown option 'max_char'", text.Corpus.from_file, "x", {max_char = 3})
    raises("Corpus: tokenizer must be \"char\", got 'word'", text.Corpus.from_file, "x", {tokenizer = "word"})
    for _, bad in ipairs {0, -1, 2.5, "many"} do
      raises("Corpus: max_chars must be a positive integer", text.Corpus.from_file, "x", {max_chars = bad})
    end
    raises("Corpus: a path expected, got nil", text.Corpus.from_file)
    assert.equal(1, #assert(read("a", {tokenizer = "char"})))
  end)
end)

-- ---- vocabularies -------------------------------------------------------------------------------

describe("Vocab", function()
  local vocab
  before_each(function() vocab = text.Vocab.new {"分", "开", "a", " "} end)

  it("goes from characters to ids and back", function()
    assert.equal(4, vocab.size)
    assert.equal(2, vocab:index "开")
    assert.equal("a", vocab:char(3))
    assert.is_nil(vocab:index "b")
    assert.is_nil(vocab:char(5))
    assert.is_nil(vocab:char(0))
    assert.same({1, 2, 4, 3}, vocab:encode "分开 a")
    assert.same({}, vocab:encode "")
    assert.equal("开分a", vocab:decode {2, 1, 3})
    assert.equal("开分a", vocab:decode(gru.tensor {2, 1, 3}))
    assert.equal("开", vocab:decode(2))
    assert.equal("开", vocab:decode(gru.tensor {2, 1}[1]))
  end)

  it("names the character that it lacks", function()
    local ids, message = vocab:encode "分开鑫"
    assert.is_nil(ids)
    assert.truthy(message:find "character 3, '鑫' %(U%+946B%) is not among the 4 characters")
    ids, message = vocab:encode "分\xff"
    assert.is_nil(ids)
    assert.truthy(message:find "not valid UTF%-8 at byte 4")
  end)

  it("raises for ids that it lacks, and for other types", function()
    raises("decode: id 5 is outside 1 .. 4", vocab.decode, vocab, {1, 5})
    raises("decode: id 0 is outside 1 .. 4", vocab.decode, vocab, gru.tensor {0})
    raises("decode: ids expected, got nil", vocab.decode, vocab)
    raises("encode: a string expected, got number", vocab.encode, vocab, 3)
  end)
end)

-- ---- sampling -----------------------------------------------------------------------------------

-- Ids that tell their own position.
local function positions(n) return gru.arange(1, n + 1) end

local function collect(iterator)
  local list = {}
  for X, Y in iterator do list[#list + 1] = {X:totable(), Y:totable(), X, Y} end
  return list
end

describe("random_batches", function()
  -- The first positions of the pieces, in the order of the batches.
  local function starts(batches)
    local list = {}
    for _, batch in ipairs(batches) do
      for _, row in ipairs(batch[1]) do list[#list + 1] = row[1] end
    end
    return list
  end

  it("gives every piece once, Y one position later", function()
    gru.manual_seed(1)
    for _, case in ipairs {
      {30, 2, 6, 2, 4}, -- length, batch, steps; batches, pieces
      {31, 2, 6, 2, 5}, {31, 5, 6, 1, 5}, {10000, 32, 35, 8, 285}, {2, 1, 1, 1, 1}, {9, 4, 2, 1, 4},
    } do
      local length, batch, steps, count, pieces = table.unpack(case)
      local batches = collect(text.random_batches(positions(length), batch, steps))
      assert.equal(count, #batches)
      local seen, n = {}, 0
      for _, b in ipairs(batches) do
        assert.same({batch, steps}, b[3].shape)
        assert.same({batch, steps}, b[4].shape)
        assert.equal("int64", b[3].dtype)
        for i, row in ipairs(b[1]) do
          for t = 1, steps do
            assert.equal(row[1] + t - 1, row[t])
            assert.equal(row[t] + 1, b[2][i][t])
          end
          local piece = (row[1] - 1) // steps + 1
          assert.equal(0, (row[1] - 1) % steps) -- pieces do not overlap
          assert.is_true(piece <= pieces)
          assert.is_nil(seen[piece])
          seen[piece] = true
          n = n + 1
        end
      end
      assert.equal(count * batch, n)
      if pieces % batch == 0 then assert.equal(pieces, n) end
    end
  end)

  it("shuffles, anew every time, the same way for the same seed", function()
    local function order(seed)
      if seed then gru.manual_seed(seed) end
      return table.concat(starts(collect(text.random_batches(positions(401), 4, 5))), " ")
    end
    local a, b = order(1), order()
    assert.not_equal(a, b)
    assert.not_equal(a, order(2))
    assert.equal(a, order(1))
    assert.equal(b, order())
    local list = starts(collect(text.random_batches(positions(401), 4, 5)))
    local rising = 0
    for i = 2, #list do rising = rising + (list[i] > list[i - 1] and 1 or 0) end
    assert.is_true(rising > 20 and rising < 59, rising .. " of 79 rise")
  end)

  it("draws every piece in the first place sometimes", function()
    gru.manual_seed(5)
    local first = {}
    for _ = 1, 200 do
      local X = text.random_batches(positions(21), 1, 4)()
      first[X[1][1]:item()] = true
    end
    for piece = 0, 4 do assert.is_true(first[4 * piece + 1]) end
  end)

  it("takes a device", function()
    for X, Y in text.random_batches(positions(20), 2, 3, "cpu") do
      assert.equal("cpu", X.device)
      assert.equal("cpu", Y.device)
    end
  end)

  it("says how long the text must be", function()
    raises("random_batches: 12 characters are too few for batches of 2 x 6 steps; at least 13 are needed",
      text.random_batches, positions(12), 2, 6)
    assert.equal(1, #collect(text.random_batches(positions(13), 2, 6)))
    raises("random_batches: 1 characters .* at least 2 ", text.random_batches, positions(1), 1, 1)
    raises("random_batches: 0 characters", text.random_batches, gru.zeros(0, {dtype = "int64"}), 1, 1)
  end)
end)

describe("consecutive_batches", function()
  it("reads batch_size rows from left to right", function()
    local batches = collect(text.consecutive_batches(positions(30), 2, 6))
    assert.equal(2, #batches)
    assert.same({{1, 2, 3, 4, 5, 6}, {16, 17, 18, 19, 20, 21}}, batches[1][1])
    assert.same({{2, 3, 4, 5, 6, 7}, {17, 18, 19, 20, 21, 22}}, batches[1][2])
    assert.same({{7, 8, 9, 10, 11, 12}, {22, 23, 24, 25, 26, 27}}, batches[2][1])
    assert.same({{8, 9, 10, 11, 12, 13}, {23, 24, 25, 26, 27, 28}}, batches[2][2])
  end)

  it("gives 8 batches of the first 10,000 characters", function()
    local batches = collect(text.consecutive_batches(positions(10000), 32, 35))
    assert.equal(8, #batches)
    for n, batch in ipairs(batches) do
      for row = 1, 32 do
        for t = 1, 35 do
          local at = (row - 1) * 312 + (n - 1) * 35 + t
          assert.equal(at, batch[1][row][t])
          assert.equal(at + 1, batch[2][row][t])
        end
      end
    end
  end)

  it("goes on in the next batch where the last one ended", function()
    for _, case in ipairs {{50, 3, 4, 3}, {51, 3, 4, 4}, {17, 2, 7, 1}, {2, 1, 1, 1}} do
      local batches = collect(text.consecutive_batches(positions(case[1]), case[2], case[3]))
      assert.equal(case[4], #batches)
      for n = 2, #batches do
        for row = 1, case[2] do
          assert.equal(batches[n - 1][2][row][case[3]], batches[n][1][row][1])
        end
      end
    end
  end)

  it("says how long the text must be", function()
    raises("consecutive_batches: 13 characters .* batches of 2 x 6 steps; at least 14 are needed",
      text.consecutive_batches, positions(13), 2, 6)
    assert.equal(1, #collect(text.consecutive_batches(positions(14), 2, 6)))
    raises("consecutive_batches: 10000 characters .* at least 14400 ", text.consecutive_batches,
      positions(10000), 400, 35)
  end)
end)

describe("sampling", function()
  for _, name in ipairs {"random_batches", "consecutive_batches"} do
    it("wants ids and sizes: " .. name, function()
      local f = text[name]
      raises(name .. ": an int64 tensor of one dim expected", f, {1, 2, 3}, 1, 1)
      raises(name .. ": an int64 tensor of one dim expected", f, gru.ones(20), 1, 1)
      raises(name .. ": an int64 tensor of one dim expected", f, positions(20):reshape(4, 5), 1, 1)
      raises(name .. ": batch_size must be a positive integer, got 0", f, positions(20), 0, 3)
      raises(name .. ": num_steps must be a positive integer, got 2.5", f, positions(20), 2, 2.5)
      raises(name .. ": num_steps must be a positive integer, got nil", f, positions(20), 2)
    end)

    it("takes ids that are not contiguous: " .. name, function()
      local sparse = gru.stack({positions(40), positions(40) * 0}, 2):select(2, 1)
      assert.is_false(sparse:is_contiguous())
      gru.manual_seed(1)
      local a = collect(text[name](sparse, 2, 3))
      gru.manual_seed(1)
      local b = collect(text[name](positions(40), 2, 3))
      for i, batch in ipairs(a) do
        assert.same(b[i][1], batch[1])
        assert.same(b[i][2], batch[2])
      end
    end)
  end
end)
