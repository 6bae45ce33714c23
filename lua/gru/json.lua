--- Plain values as JSON text, and back (RFC 8259), for the metadata of checkpoints.
--
-- Integers and floats stay apart: a float always shows a point or an exponent, `1.0`, and has the
-- digits that bring it back bit for bit.  Infinite numbers and NaN are spelled `Infinity`, `-Infinity`
-- and `NaN`, as Python's json module reads and writes them.  An empty table is `{}`.
-- @module gru.json
local json = {}

local DEPTH = 200 -- of tables in tables

-- ---- writing -------------------------------------------------------------------------------------

local escapes = {['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t"}

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return escapes[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function number(x)
  if math.type(x) == "integer" then return tostring(x) end
  if x ~= x then return "NaN" end
  if x == math.huge or x == -math.huge then return x > 0 and "Infinity" or "-Infinity" end
  local text = ("%.17g"):format(x)
  return text:find "[.e]" and text or text .. ".0"
end

local put -- puts a value's text at the end of `out`

local function put_list(out, list, depth)
  out[#out + 1] = "["
  for i, value in ipairs(list) do
    if i > 1 then out[#out + 1] = ", " end
    put(out, value, depth)
  end
  out[#out + 1] = "]"
end

local function put_object(out, object, depth)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys)
  out[#out + 1] = "{"
  for i, key in ipairs(keys) do
    out[#out + 1] = (i > 1 and ", " or "") .. quote(key) .. ": "
    put(out, object[key], depth)
  end
  out[#out + 1] = "}"
end

function put(out, value, depth)
  local kind = type(value)
  if depth > DEPTH then error("json: more than " .. DEPTH .. " tables in each other", 0) end
  if kind == "table" and value[1] ~= nil then
    put_list(out, value, depth + 1)
  elseif kind == "table" then
    put_object(out, value, depth + 1)
  else
    out[#out + 1] = kind == "string" and quote(value) or kind == "number" and number(value) or tostring(value)
  end
end

--- The text of a value.
-- @param value booleans, numbers, strings in UTF-8; tables of them, either a sequence or with strings as keys
-- @treturn string
function json.encode(value)
  local out = {}
  put(out, value, 1)
  return table.concat(out)
end

-- ---- reading -------------------------------------------------------------------------------------

local words = {
  ["true"] = true, ["false"] = false, NaN = 0 / 0, Infinity = math.huge, ["-Infinity"] = -math.huge,
}
local unescapes = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}

local function fail(at, message) error({at = at, message = message}, 0) end

local function skip(text, at) return text:find("[^ \t\r\n]", at) or #text + 1 end

-- The character of an escape at `at`, behind the backslash; and where it ends.
local function read_escape(text, at)
  local c = text:sub(at, at)
  if unescapes[c] then return unescapes[c], at + 1 end
  local code = c == "u" and tonumber(text:match("^%x%x%x%x", at + 1) or "", 16)
  if not code then fail(at - 1, "an escape that JSON does not have") end
  if code < 0xD800 or code > 0xDFFF then return utf8.char(code), at + 5 end
  local low = tonumber(text:match("^\\u(%x%x%x%x)", at + 5) or "", 16)
  if code > 0xDBFF or not low or low < 0xDC00 or low > 0xDFFF then
    fail(at - 1, "half a pair of surrogates")
  end
  return utf8.char(0x10000 + ((code - 0xD800) << 10) + low - 0xDC00), at + 11
end

-- The string whose opening quote is at `at`; and where it ends.
local function read_string(text, at)
  local parts, from = {}, at + 1
  while true do
    local stop = text:find('["\\%c]', from)
    local c = stop and text:sub(stop, stop)
    if not c then fail(at, "a string without an end") end
    parts[#parts + 1] = text:sub(from, stop - 1)
    if c == '"' then return table.concat(parts), stop + 1 end
    if c ~= "\\" and c ~= "\127" then fail(stop, "a control character in a string") end
    parts[#parts + 1], from = c, stop + 1
    if c == "\\" then parts[#parts], from = read_escape(text, stop + 1) end
  end
end

local function read_number(text, at)
  local digits = text:match("^%-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local value = digits and not digits:find "^%-?0%d" and not digits:find "%.$" and tonumber(digits)
  if not value then fail(at, "no value") end
  return value, at + #digits
end

local read -- the value at `at`; and where it ends

-- What stands between `open` and `close`: `item(at)` reads one and gives where it ends.
local function read_items(text, at, close, item)
  at = skip(text, at + 1)
  if text:sub(at, at) == close then return at + 1 end
  while true do
    at = skip(text, item(at))
    local c = text:sub(at, at)
    if c == close then return at + 1 end
    if c ~= "," then fail(at, ("',' or '%s' expected"):format(close)) end
    at = skip(text, at + 1)
  end
end

local function read_table(text, at, depth)
  local out = {}
  if depth > DEPTH then fail(at, "more than " .. DEPTH .. " levels") end
  if text:sub(at, at) == "[" then
    return out, read_items(text, at, "]", function(from)
      out[#out + 1], from = read(text, from, depth)
      return from
    end)
  end
  return out, read_items(text, at, "}", function(from)
    if text:sub(from, from) ~= '"' then fail(from, "a key expected") end
    local key, next_at = read_string(text, from)
    if out[key] ~= nil then fail(from, "a key that is there twice") end
    next_at = skip(text, next_at)
    if text:sub(next_at, next_at) ~= ":" then fail(next_at, "':' expected") end
    out[key], next_at = read(text, skip(text, next_at + 1), depth)
    return next_at
  end)
end

function read(text, at, depth)
  local c = text:sub(at, at)
  if c == "{" or c == "[" then return read_table(text, at, depth + 1) end
  if c == '"' then return read_string(text, at) end
  local word = text:match("^%-?%a+", at)
  if word and words[word] ~= nil then return words[word], at + #word end
  return read_number(text, at)
end

--- The value of a text; `null` is refused.
-- @tparam string text
-- @return[1] the value
-- @return[2] nil
-- @treturn[2] string what is wrong, and where
function json.decode(text)
  local ok, result = pcall(function()
    local value, at = read(text, skip(text, 1), 0)
    at = skip(text, at)
    if at <= #text then fail(at, "more than one value") end
    return value
  end)
  if ok then return result end
  if type(result) ~= "table" then error(result, 0) end -- an interrupt, say
  return nil, ("byte %d: %s"):format(result.at - 1, result.message)
end

return json
