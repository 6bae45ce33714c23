--- Files of safetensors and npy that must be refused, and files made by hand for that.
--
-- `malformed.safetensors` and `malformed.npy` are lists of {bytes, why}: `why` stands in the
-- message.
local malformed = {}

--- A safetensors file: prefix, header, data.  `n` is the size that the prefix says.
function malformed.file(header, data, n)
  return string.pack("<I8", n or #header) .. header .. (data or "")
end

--- The description of a tensor; every argument is JSON.
function malformed.entry(dtype, shape, offsets)
  return ('{"dtype":%s,"shape":%s,"data_offsets":%s}'):format(dtype or '"U8"', shape or "[2]",
    offsets or "[0,2]")
end

--- An npy file.  `version` is 1, 2 or 3; `n` is the size that it says of its header.
function malformed.array(header, data, version, n)
  version = version or 1
  return "\x93NUMPY" .. string.char(version, 0)
    .. string.pack(version == 1 and "<I2" or "<I4", n or #header) .. header .. (data or "")
end

--- The header of an npy file; every argument is Python.
function malformed.dict(descr, order, shape)
  return ("{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n"):format(descr or "'<i2'",
    order or "False", shape or "(2,)")
end

local file, entry, array, dict = malformed.file, malformed.entry, malformed.array, malformed.dict

local function adder(list)
  return function(bytes, why) list[#list + 1] = {bytes, why} end
end

-- ---- safetensors ------------------------------------------------------------------------

local list = {}
malformed.safetensors = list
local add = adder(list)

for n = 0, 7 do add(("\0"):rep(n), "too short for safetensors: " .. n .. " bytes") end

-- the prefix
for _, n in ipairs {100000001, 1 << 32, 1 << 53, math.maxinteger, math.mininteger, -1, -8} do
  add(file("{}", "", n), "bytes, at most 100000000 are allowed")
end
for _, n in ipairs {3, 4, 100, 65536, 100000000} do add(file("{}", "", n), "truncated: the header ends") end
add("PK\3\4" .. ("\0"):rep(60), "not safetensors but a zip or a pickle")
add("\x80\2}q\0X\4\0\0\0name", "not safetensors but a zip or a pickle")
add(array(dict(), "1234"), "not safetensors but a .npy file: read it with gru.load_npy")
add("-- this is a Lua script\nos.exit(1)\n", "not safetensors: a header of")

-- the first byte
for _, header in ipairs {"", " {}", "\n{}", "[]", '"a"', "null", "1", "\xEF\xBB\xBF{}", "x{}", "}{"} do
  add(file(header, "data"), "the header does not begin with '{'")
end

-- UTF-8
for _, bytes in ipairs {
  "\xFF", "\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80", "\xF0\x80\x80\x80",
  "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xC3(",
} do
  add(file(('{"%s":%s}'):format(bytes, entry()), "ab"), "the header is no JSON: not UTF-8, at byte 10")
end
add(file('{"a":' .. entry() .. "}\xE6", "ab"), "not UTF-8, at byte")
add(file('{"a\0b":' .. entry() .. "}", "ab"), "a NUL character, at byte 11")
add(file('{"a":' .. entry() .. "}\0\0", "ab"), "a NUL character, at byte")

-- JSON
local whole = '{"a":' .. entry() .. "}"
for cut = 1, #whole - 1 do add(file(whole:sub(1, cut), "ab"), "the header is no JSON:") end
for text, why in pairs {
  ["{}}"] = "text behind the end", ["{}{}"] = "text behind the end", ["{} x"] = "no place there",
  ["{},"] = "text behind the end", ["{} 1"] = "text behind the end", ["{}\v"] = "no place there",
  ["{\1}"] = "no place there", ["{'a':1}"] = "no place there", ["{a:1}"] = "a syntax error",
  ["{,}"] = "a syntax error", ['{"a"}'] = "a syntax error", ['{"a":}'] = "a syntax error",
  ['{"a":1,}'] = "a syntax error", ['{"a":1 "b":2}'] = "a syntax error", ['{"a":01}'] = "a leading 0",
  ['{"a":+1}'] = "no place there", ['{"a":-1}'] = "a negative number", ['{"a":-0}'] = "a negative number",
  ['{"a":.5}'] = "no place there", ['{"a":1.}'] = "a number that is not whole",
  ['{"a":1.0}'] = "a number that is not whole", ['{"a":1e3}'] = "a number that is not whole",
  ['{"a":1E3}'] = "a number that is not whole", ['{"a":0x10}'] = "no place there",
  ['{"a":123456789012345678901}'] = "more than 20 digits", ['{"a":NaN}'] = "no place there",
  ['{"a":Infinity}'] = "no place there", ['{"a":tru}'] = "a syntax error",
  ['{"a":nulll}'] = "a syntax error", ['{"a":1}/**/'] = "no place there",
  ['{"a\nb":1}'] = "a control character", ['{"a\tb":1}'] = "a control character",
  ['{"a\27":1}'] = "a control character",
  ['{"a\\u0000":1}'] = "a NUL character in a string", ['{"a\\x41":1}'] = "a syntax error",
  ['{"a\\u12g4":1}'] = "a \\u without four digits", ['{"a\\u":1}'] = "a \\u without four digits",
  ['{"a\\u00'] = "a \\u without four digits", ['{"a\\ud800":1}'] = "a syntax error",
  ['{"a\\udc00":1}'] = "a syntax error", ['{"a\\ud800\\u0041":1}'] = "a syntax error",
  ['{"a\\'] = "a string without an end", ['{"a:1}'] = "a string without an end",
  ['{"a":[1,2}'] = "a syntax error", ['{"a":{]}'] = "a syntax error", ['{"a":[1,]}'] = "a syntax error",
} do
  add(file(text, "ab"), "the header is no JSON: ")
  add(file(text, "ab"), why)
end
add(file('{"a":' .. ("["):rep(5000) .. ("]"):rep(5000) .. "}"), "too many levels")
add(file(('{"a":'):rep(5000) .. "1" .. ("}"):rep(5000)), "too many levels")
add(file('{"a":[' .. ("1,"):rep(1 << 22) .. "1]}"), "more than 4194304 values")

-- one tensor
local function tensor(text, why, data)
  add(file('{"a":' .. text .. "}", data or "ab"), "tensor 'a': " .. why)
end
for _, text in ipairs {"1", '"U8"', "[]", "null", "true"} do tensor(text, "an object expected") end
tensor("{}", "the key 'dtype' is missing")
tensor('{"dtype":"U8","shape":[2]}', "the key 'data_offsets' is missing")
tensor('{"dtype":"U8","data_offsets":[0,2]}', "the key 'shape' is missing")
tensor('{"shape":[2],"data_offsets":[0,2]}', "the key 'dtype' is missing")
tensor('{"Dtype":"U8","shape":[2],"data_offsets":[0,2]}', "the key 'dtype' is missing")
for _, pair in ipairs {'"dtype":"U8"', '"shape":[2]', '"data_offsets":[0,2]'} do
  tensor(entry():sub(1, -2) .. "," .. pair .. "}", ("the key %s appears twice")
    :format(pair:match '"[%a_]+"':gsub('"', "'")))
end
for _, dtype in ipairs {"1", "null", "[]", '["U8"]', "{}"} do
  tensor(entry(dtype), "the dtype is not a string")
end
for _, dtype in ipairs {"", "u8", "U8 ", "INT8", "F128", "float32", "F8", "U8\\u0041", "torch.float32"} do
  tensor(entry('"' .. dtype .. '"'), "unknown dtype '" .. dtype:gsub("\\u0041", "A") .. "'")
end
for _, shape in ipairs {"2", '"2"', "null", "{}", '{"0":2}'} do
  tensor(entry(nil, shape), "the shape is not an array")
end
for _, size in ipairs {'"2"', "null", "[2]", "true", "{}", "9007199254740992", "18446744073709551615"} do
  tensor(entry(nil, "[1," .. size .. "]"), "size 2 of the shape is not a whole number below 2^53")
  tensor(entry(nil, nil, "[0," .. size .. "]"), "data offset 2 is not a whole number below 2^53")
end
tensor(entry(nil, "[1,1,1,1,1,1,1,1,2]"), "more than 8 dims")
for _, offsets in ipairs {"2", '"0,2"', "null", "{}"} do
  tensor(entry(nil, nil, offsets), "the data_offsets are not an array")
end
tensor(entry(nil, nil, "[]"), "two data_offsets expected, got 0")
tensor(entry(nil, nil, "[2]"), "two data_offsets expected, got 1")
tensor(entry(nil, nil, "[0,2,2]"), "two data_offsets expected, got 3")
tensor(entry(nil, nil, "[2,0]"), "the data end at 0, before they begin at 2")
tensor(entry(nil, nil, "[9007199254740991,0]"), "the data end at 0")

-- sizes
for _, shape in ipairs {
  "[9007199254740991,9007199254740991]", "[4294967296,4294967296]", "[4503599627370496,4096]",
  "[0,9007199254740991,9007199254740991]", "[9007199254740991,9007199254740991,0]",
  "[65536,65536,65536,65536]", "[65536,65536,65536,65536,0]",
} do
  tensor(entry(nil, shape), "U8 " .. shape:gsub(",", ", ") .. " is too large, or no whole number of bytes")
end
tensor(entry('"F64"', "[2251799813685248,64]"), "F64 [2251799813685248, 64] is too large")
tensor(entry('"F4"', "[3]"), "F4 [3] is too large, or no whole number of bytes")
tensor(entry('"F6_E2M3"', "[1]"), "F6_E2M3 [1] is too large, or no whole number of bytes")
for dtype, bytes in pairs {BOOL = 2, I8 = 2, I16 = 4, F16 = 4, BF16 = 4, I32 = 8, F32 = 8, U32 = 8,
  I64 = 16, U64 = 16,
    F64 = 16, C64 = 16} do
  tensor(entry('"' .. dtype .. '"', nil, "[0,3]"), ("%s [2] takes %d bytes, its data_offsets hold 3")
    :format(dtype, bytes), "abc")
end
tensor(entry(nil, "[]"), "U8 [] takes 1 bytes, its data_offsets hold 2")
tensor(entry(nil, "[0]"), "U8 [0] takes 0 bytes, its data_offsets hold 2")
tensor(entry(nil, "[2,3]"), "U8 [2, 3] takes 6 bytes")

-- the layout
local function layout(offsets, size, why)
  local entries = {}
  for i, o in ipairs(offsets) do
    entries[i] = ('"%s":%s'):format(string.char(96 + i), entry(nil, "[" .. o[2] - o[1] .. "]",
      ("[%d,%d]"):format(o[1], o[2])))
  end
  add(file("{" .. table.concat(entries, ",") .. "}", ("x"):rep(size)), why)
end
layout({}, 1, "1 bytes behind the last tensor")
layout({{0, 2}}, 3, "1 bytes behind the last tensor")
layout({{0, 2}, {2, 4}}, 1000, "996 bytes behind the last tensor")
layout({{0, 2}}, 1, "truncated: the tensors take 2 bytes, the file has 1 for them")
layout({{0, 2}}, 0, "truncated: the tensors take 2 bytes, the file has 0 for them")
layout({{0, 1000000}}, 10, "truncated: the tensors take 1000000 bytes")
layout({{0, 9007199254740991}}, 10, "truncated: the tensors take 9007199254740991 bytes")
layout({{1, 3}}, 3, "tensor 'a': the data begin at 1, a hole: the data before them end at 0")
layout({{0, 2}, {3, 4}}, 4, "tensor 'b': the data begin at 3, a hole: the data before them end at 2")
layout({{0, 2}, {1, 3}}, 3, "tensor 'b': the data begin at 1, an overlap: the data before them end at 2")
layout({{0, 2}, {0, 2}}, 2, "tensor 'b': the data begin at 0, an overlap: the data before them end at 2")
layout({{0, 4}, {1, 2}}, 4, "tensor 'b': the data begin at 1, an overlap: the data before them end at 4")
layout({{2, 4}, {0, 1}}, 4, "tensor 'a': the data begin at 2, a hole: the data before them end at 1")
layout({{0, 2}, {1, 1}}, 2, "tensor 'b': the data begin at 1, an overlap")
layout({{0, 2}, {5, 5}}, 2, "tensor 'b': the data begin at 5, a hole")
add(file('{"a":' .. entry() .. ',"a":' .. entry() .. "}", "ab"), "tensor 'a': appears twice")
add(file('{"a":' .. entry() .. ',"\\u0061":' .. entry(nil, nil, "[2,4]") .. "}", "abcd"),
  "tensor 'a': appears twice")

-- metadata
for _, text in ipairs {"1", "null", "[]", '"x"', "true"} do
  add(file('{"__metadata__":' .. text .. "}"), "'__metadata__' is not an object")
end
for _, text in ipairs {"1", "null", "[]", "{}", "true", '["x"]'} do
  add(file('{"__metadata__":{"k":"v","epoch":' .. text .. "}}"), "'__metadata__': 'epoch' is not a string")
end
add(file('{"__metadata__":{},"__metadata__":{}}'), "'__metadata__' appears twice")
add(file('{"__metadata__":{"k":"1","j":"","k":"1"}}'), "'__metadata__': 'k' appears twice")

-- what the runtime has no dtype for
for _, dtype in ipairs {"F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"} do
  tensor(entry('"' .. dtype .. '"'), "")
  list[#list][2] = ("tensor 'a' has dtype %s, which cannot be loaded"):format(dtype)
end
add(file('{"z":' .. entry('"C64"', "[1]", "[0,8]") .. "}", ("x"):rep(8)), "tensor 'z' has dtype C64")
add(file('{"z":' .. entry('"F4"', "[4]") .. "}", "ab"), "tensor 'z' has dtype F4")
add(file('{"z":' .. entry('"U64"', "[2]", "[0,16]") .. "}", string.pack("<i8i8", 1, -1)),
  "element 2 of tensor 'z', an unsigned 64-bit integer, does not fit into int64")

-- ---- npy ----------------------------------------------------------------------------------

list = {}
malformed.npy = list
add = adder(list)

for n = 0, 9 do add(("\x93NUMPY\1\0\0\0"):sub(1, n), "too short for npy: " .. n .. " bytes") end
for _, head in ipairs {"\x92NUMPY\1\0", "\x93numpy\1\0", "NUMPY\1\0\0\0", ("\0"):rep(8), "{'descr':"} do
  add(head .. ("\0"):rep(70), "not npy: it does not begin with \\x93NUMPY")
end
add("PK\3\4" .. ("\0"):rep(70), "it is a zip (.npz?): unpack it")
for _, version in ipairs {"\0\0", "\4\0", "\1\1", "\xFF\0", "\2\1"} do
  add("\x93NUMPY" .. version .. string.pack("<I2", #dict()) .. dict() .. "abcd", "npy version ")
end
add("\x93NUMPY\2\0\0\0", "truncated: it ends before the header")
add(array(dict(), "", 1, 65535), "truncated: the header ends at byte 65545")
add(array(dict(), "", 2, 4294967295), "truncated: the header ends at byte 4294967307")
add(array(dict() .. (" "):rep(1 << 16), "", 2), "bytes, at most 65536 are taken")

local function bad(header, why) add(array(header, "abcd"), "the header is not one of npy: " .. why) end
bad("", "'{' expected at byte 10")
bad("\n", "'{' expected")
bad("[]", "'{' expected")
bad("{'descr': '<i2'", "',' or '}' expected at byte 25")
bad("{}", "the key 'descr' before the end expected")
bad("{'descr': '<i2'}", "the key 'fortran_order' before the end expected")
bad("{'descr': '<i2', 'fortran_order': True}", "the key 'shape' before the end expected")
bad("{'shape': (2,), 'fortran_order': True}", "the key 'descr' before the end expected")
bad(dict() .. "x", "nothing but spaces behind '}' expected")
bad(dict() .. "\0", "nothing but spaces behind '}' expected")
bad("{,}", "a string expected")
bad("{'descr': '<i2',, }", "a string expected")
bad("{descr: '<i2'}", "a string expected")
bad("{'descr' '<i2'}", "':' expected")
bad("{'descr: 1}", "the end of the string expected")
bad("{'desc': '<i2'}", "'descr', 'fortran_order' or 'shape' and no other key expected")
bad("{'descr': '<i2', 'evil': __import__('os')}",
  "'descr', 'fortran_order' or 'shape' and no other key expected")
bad("{'de\\163cr': '<i2'}", "a plain short string expected")
bad("{'" .. ("x"):rep(40) .. "': 1}", "a plain short string expected")
bad("{u'descr': '<i2'}", "a string expected")
for _, value in ipairs {"2", "None", "b'<i2'", "<i2", "('<i2',)", "{}", "__import__('os').system('true')"} do
  bad(dict(value), "a string expected at byte 20")
end
for _, value in ipairs {"1", "true", "'False'", "None", "FALSE", "not True"} do
  bad(dict(nil, value), "True or False expected")
end
for _, value in ipairs {"Truee", "False or True", "True and 1", "False.x"} do
  bad(dict(nil, value), "',' or '}' expected")
end
for _, value in ipairs {"2", "[2]", "{2}", "None", "'(2,)'"} do bad(dict(nil, nil, value), "'(' expected") end
for _, value in ipairs {
  "(,)", "(-2,)", "(+2,)", "('2',)", "(None,)", "(02,)", "(,2)", "(2,,)", "((2,),)", "(.5,)",
} do
  bad(dict(nil, nil, value), "a size expected")
end
for _, value in ipairs {"(2L,)", "(2.0,)", "(2e0,)", "(0x2,)", "(2_0,)", "(2 3)", "(1+1,)"} do
  bad(dict(nil, nil, value), "',' or ')' expected")
end
bad(dict(nil, nil, "(2,3"), "a size expected")
bad(dict(nil, nil, "(2)"), "a tuple: ',' before ')' expected")
for _, pair in ipairs {"'descr': '<i2'", "'fortran_order': True", "'shape': (2,)"} do
  add(array((dict():gsub("}", pair .. "}")), "abcd"),
    ("the key %s appears twice"):format(pair:match "'%w+_?%w*'"))
end

for _, descr in ipairs {"|O", "O", "<O", "|O8", "=O"} do
  add(array(dict("'" .. descr .. "'"), "abcd"), "Python objects, whose pickle")
end
for _, descr in ipairs {
  "<U1", "|S2", "<c8", "<M8[s]", "<m8", "|V2", "<f16", "<i3", "<i16", "=i2", "i2", "|i2", "|f4", "", "<",
  "<i", "<i2 ", "<I2", "int16", "<e", "@i2", "|b2", "<b8", "|t1",
} do
  add(array(dict("'" .. descr .. "'"), "abcd"), "dtype '" .. descr .. "' cannot be loaded")
end
for _, descr in ipairs {">i2", ">f8", ">b1"} do
  add(array(dict("'" .. descr .. "'"), "abcd"), "is big-endian")
end
add(array(dict "[('a', '<i2'), ('b', '<i2')]", "abcd"), "records cannot be loaded")

add(array(dict(nil, nil, "(1,1,1,1,1,1,1,1,2)"), "abcd"), "more than 8 dims")
add(array(dict(nil, nil, "(9999999999999999999,)"), "abcd"), "a size of 19 digits")
add(array(dict(nil, nil, "(" .. ("9"):rep(500) .. ",)"), "abcd"), "a size of 500 digits")
for _, shape in ipairs {
  "(999999999999999999,)", "(4294967296, 4294967296)", "(0, 999999999999999999, 2)",
  "(999999999999999999, 999999999999999999, 0)", "(65536, 65536, 65536, 65536)",
} do
  add(array(dict(nil, nil, shape), "abcd"), "is more than can be addressed")
end
add(array(dict(), "abc"), "truncated: shape [2] takes 4 bytes, the file has 3 for it")
add(array(dict(), ""), "truncated: shape [2] takes 4 bytes, the file has 0 for it")
add(array(dict(), "abcde"), "too long: shape [2] takes 4 bytes, the file has 5 for it")
add(array(dict(nil, nil, "()"), "abcd"), "too long: shape [] takes 2 bytes")
add(array(dict(nil, nil, "(0,)"), "abcd"), "too long: shape [0] takes 0 bytes")
add(array(dict(nil, "True", "(3, 5)"), "abcd"), "truncated: shape [3, 5] takes 30 bytes")
add(array(dict(nil, nil, "(1000000000000,)"), "abcd"),
  "truncated: shape [1000000000000] takes 2000000000000 bytes")
add(array(dict("'<u8'", nil, "(3,)"), string.pack("<i8i8i8", 1, 2, math.mininteger)),
  "element 3, an unsigned 64-bit integer, does not fit into int64")

return malformed
