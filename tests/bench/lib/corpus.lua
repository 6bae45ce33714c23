--- A text to measure with: characters drawn at random, some often and most seldom, as in a language.
local corpus = {}

local FIRST = 0x4E00 -- Chinese characters, three bytes each, as in the article

--- The text: `chars` characters, each of `vocab` different ones at least once; the i-th most frequent one
-- comes with a chance of about 1 / i (Zipf).  The same for the same arguments.
function corpus.text(chars, vocab, seed)
  assert(chars >= vocab, "corpus: fewer characters than the vocabulary has")
  math.randomseed(seed, 0)
  local sums, total = {}, 0
  for i = 1, vocab do
    total = total + 1 / i
    sums[i] = total
  end
  local function draw()
    local x, low, high = math.random() * total, 1, vocab
    while low < high do
      local middle = (low + high) // 2
      if sums[middle] < x then low = middle + 1 else high = middle end
    end
    return low
  end
  local ids = {}
  for i = 1, vocab do ids[i] = i end
  for i = vocab + 1, chars do ids[i] = draw() end
  for i = chars, 2, -1 do
    local j = math.random(i)
    ids[i], ids[j] = ids[j], ids[i]
  end
  for i, id in ipairs(ids) do ids[i] = utf8.char(FIRST + id - 1) end
  return table.concat(ids)
end

--- Writes it into a file.
function corpus.write(path, chars, vocab, seed)
  local file = assert(io.open(path, "w"))
  assert(file:write(corpus.text(chars, vocab, seed)))
  assert(file:close())
end

--- Writes a large one: a text of `block` characters over and over.
function corpus.write_large(path, chars, vocab, seed, block)
  local text = corpus.text(math.min(block, chars), vocab, seed)
  local file = assert(io.open(path, "w"))
  for _ = 1, chars // math.min(block, chars) do assert(file:write(text)) end
  assert(file:close())
end

return corpus
