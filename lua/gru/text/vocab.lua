--- A vocabulary of characters: ids from 1 on, in order of first appearance.
-- @module gru.text.vocab
local core = require "gru.core"

local Vocab = {}
Vocab.__index = Vocab

--- A vocabulary of given characters.
-- @tparam table chars the characters by id, UTF-8 strings
-- @treturn Vocab with the fields `size`, `chars` (id -> character) and `ids` (character -> id)
function Vocab.new(chars)
  local ids = {}
  if type(chars) ~= "table" then error("Vocab: a table of characters expected, got " .. type(chars), 2) end
  for id, char in ipairs(chars) do
    if type(char) ~= "string" or utf8.len(char) ~= 1 then
      error(("Vocab: character %d must be one of UTF-8, got %s"):format(id, tostring(char)), 2)
    elseif ids[char] then
      error(("Vocab: '%s' is there twice, as %d and %d"):format(char, ids[char], id), 2)
    end
    ids[char] = id
  end
  return setmetatable({chars = chars, ids = ids, size = #chars}, Vocab)
end

--- The id of a character, or nil.
function Vocab:index(char)
  if type(char) ~= "string" then error("index: a character expected, got " .. type(char), 2) end
  return self.ids[char]
end

--- The character of an id, or nil.
function Vocab:char(id)
  if math.type(id) ~= "integer" then error("char: an id expected, got " .. tostring(id), 2) end
  return self.chars[id]
end

--- The ids of a text's characters.
-- @treturn[1] table
-- @treturn[2] nil
-- @treturn[2] string which character is unknown, and where
function Vocab:encode(text)
  local list = {}
  if type(text) ~= "string" then error("encode: a string expected, got " .. type(text), 2) end
  local length, bad = utf8.len(text)
  if not length then return nil, ("the text is not valid UTF-8 at byte %d"):format(bad) end
  for at, code in utf8.codes(text) do
    local char = utf8.char(code)
    local id = self.ids[char]
    if not id then
      return nil, ("character %d, '%s' (U+%04X) is not among the %d characters of the corpus")
        :format(utf8.len(text, 1, at), char, code, self.size)
    end
    list[#list + 1] = id
  end
  return list
end

--- The text of ids: a table, an int64 tensor, or one id.
function Vocab:decode(ids)
  if core.is_tensor(ids) then
    if ids.dtype ~= "int64" or ids:dim() > 1 then
      error(("decode: an int64 tensor of one dim expected, got %s of %d dims"):format(ids.dtype,
        ids:dim()), 2)
    end
    ids = ids:totable()
  end
  if math.type(ids) == "integer" then ids = {ids} end
  if type(ids) ~= "table" then error("decode: ids expected, got " .. type(ids), 2) end
  local parts = {}
  for i, id in ipairs(ids) do
    parts[i] = self.chars[id] or error(("decode: id %s is outside 1 .. %d")
      :format(tostring(id), self.size), 2)
  end
  return table.concat(parts)
end

return Vocab
