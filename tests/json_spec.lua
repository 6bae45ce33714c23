-- gru.json: plain values as text, bit for bit, and texts that are none.
local json = require "gru.json"

local function round(value)
  local text = json.encode(value)
  local back, problem = json.decode(text)
  assert.is_nil(type(problem) == "string" and problem or nil, text)
  return back, text
end

describe("json", function()
  it("brings numbers back bit for bit, integers and floats apart", function()
    for _, x in ipairs {
      0, 1, -1, math.maxinteger, math.mininteger, 0.0, 1.0, -1.5, 0.1, 1 / 3, 2.0 ^ 53, 2.0 ^ 63, 5e-324,
      1.7976931348623157e308, 123456789.123456789, math.pi, math.huge, -math.huge,
    } do
      local y, text = round(x)
      assert.equal(math.type(x), math.type(y), text)
      assert.equal(string.pack("n", x), string.pack("n", y), text)
    end
    assert.equal("-inf", tostring(1 / round(-0.0)))
    local nan = round(0 / 0)
    assert.is_true(nan ~= nan)
    assert.equal("1.0", json.encode(1.0))
  end)

  it("brings strings back", function()
    for _, s in ipairs {"", "a", '"\\/', "\0\1\31\127", "line\nline\r\t", "分开😀", "\u{FFFF}"} do
      assert.equal(s, (round(s)))
    end
    assert.equal('"\\u0000\\n"', json.encode "\0\n")
    assert.equal("A/é😀", (json.decode [["\u0041\/\u00e9\ud83d\ude00"]]))
  end)

  it("brings tables back", function()
    for _, t in ipairs {{}, {1, 2, {3}}, {a = 1, b = {c = {}}}, {{}, {{}}}, {x = true, y = false, z = "z"}} do
      assert.same(t, (round(t)))
    end
    assert.equal('{"a": [1, 2.0], "b": {}}', json.encode {b = {}, a = {1, 2.0}})
    assert.same({1, {a = {}}}, (json.decode ' [ 1 , { "a" : [ ] } ] \n'))
    assert.is_false((round(false)))
  end)

  it("says where a text is none", function()
    for text, wanted in pairs {
      [""] = "byte 0: no value", ["nul"] = "byte 0", ["null"] = "byte 0: no value",
      ["1 2"] = "byte 2: more than one",
      ["01"] = "byte 0", ["1."] = "byte 0", ["+1"] = "byte 0", ["1e"] = "byte 0", ["0x10"] = "byte 1",
      ["[1,]"] = "byte 3: no value", ["[1 2]"] = "byte 3: ',' or ']' expected", ["["] = "byte 1",
      ["{1: 2}"] = "byte 1: a key expected", ['{"a" 1}'] = "byte 5: ':' expected", ["{"] = "byte 1",
      ['{"a": 1, "a": 2}'] = "byte 9: a key that is there twice",
      ['{"a": 1,}'] = "byte 8: a key expected",
      ['"abc'] = "byte 0: a string without an end", ['"a\nb"'] = "byte 2: a control character",
      ['"\\x"'] = "byte 1: an escape", ['"\\u12"'] = "byte 1: an escape",
      ['"\\ud800"'] = "byte 1: half a pair",
      ['"\\udc00\\ud800"'] = "byte 1: half a pair", ["'a'"] = "byte 0", ["os.exit()"] = "byte 0: no value",
      ["True"] = "byte 0", ["-"] = "byte 0", ["[nan]"] = "byte 1", ["\xEF\xBB\xBF1"] = "byte 0",
    } do
      local value, message = json.decode(text)
      assert.is_nil(value, text)
      assert.truthy(message:find(wanted, 1, true), text .. " -> " .. message)
    end
  end)

  it("bounds the depth", function()
    assert.same(1, #json.decode(("["):rep(200) .. ("]"):rep(200)))
    local _, message = json.decode(("["):rep(100000))
    assert.truthy(message:find("byte 200: more than 200 levels", 1, true), message)
    local ring = {}
    ring[1] = ring
    assert.has_error(function() json.encode(ring) end, "json: more than 200 tables in each other")
  end)
end)
