--- Other programs: their command lines, and what they print.
local json = require "dkjson"

local process = {}

--- A word of a shell's command line.
function process.quote(word)
  word = tostring(word)
  if word:find "^[%w_./=:,+-]+$" then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- What a command prints, and whether it succeeded; stderr is passed on unless the command says otherwise.
function process.capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  local ok = pipe:close()
  return text, ok == true
end

--- Runs a command that prints one JSON object on a line of its own, perhaps after others.
-- @return the object; nil and the reason
function process.object(command)
  local text, ok = process.capture(command)
  local line = text:match "([^\n]*)\n*$"
  if not ok then return nil, "failed: " .. command end
  local object = line:find "^{" and json.decode(line)
  if not object then return nil, "no JSON object came from: " .. command end
  return object
end

--- Arguments as words `key=value`, sorted by key.
function process.arguments(args)
  local words = {}
  for key, value in pairs(args) do words[#words + 1] = ("%s=%s"):format(key, value) end
  table.sort(words)
  for i, word in ipairs(words) do words[i] = process.quote(word) end
  return table.concat(words, " ")
end

return process
