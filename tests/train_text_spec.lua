-- examples/train_text.lua as a user runs it: it trains, goes on, writes, and says what is wrong.
local new_scratch = require "tests.support.scratch"

local PROGRAM = os.getenv "GRU_LUA" or "build/gru-lua"

local scratch, path
setup(function()
  scratch = new_scratch()
  path = scratch.folder .. "/run.safetensors"
end)
teardown(function() scratch.remove() end)

-- Runs the example on a small model; gives what it printed, without the times, and its status.
local function run(arguments)
  local out, status = scratch.shell(("%s examples/train_text.lua --hidden 16 --seed 1 --length 20 %s"):format(
    PROGRAM, arguments))
  return out:gsub(", [%d.]+ sec", ""), status
end

describe("examples/train_text.lua", function()
  it("ends the same with a stop in between", function()
    local whole, status = run "--epochs 3"
    assert.equal(0, status, whole)
    assert.truthy(whole:find "^epoch 1, perplexity %d+%.%d+, on new text %d+%.%d+\nepoch 2,")
    local first = run("--epochs 1 --checkpoint " .. path)
    local rest = run("--epochs 3 --checkpoint " .. path)
    local line = whole:match "^[^\n]*\n"
    assert.equal(line, first:sub(1, #line))
    assert.equal("going on behind epoch 1\n" .. whole:sub(#line + 1), rest)
    local text = whole:match "\n(分开[^\n]*)\n$"
    assert.equal(22, utf8.len(text))
    local again = run("--epochs 3 --checkpoint " .. path)
    assert.equal("going on behind epoch 3\n" .. text .. "\n", again)
  end)

  it("says what is wrong, in one line", function()
    for arguments, wanted in pairs {
      ["--corpus /nowhere/x.txt"] = {1, "/nowhere/x.txt"},
      ["--batch 1000"] = {1, "characters are too few; at least %d+ are needed"},
      ["--prompt 鑫"] = {1, "%-%-prompt: character 1, '鑫' %(U%+946B%) is not among"},
      ["--epochs many"] = {2, "%-%-epochs: expected a number of 1 or more, got 'many'"},
      ["--lr=-1"] = {2, "%-%-lr"},
      ["--unknown"] = {2, "%-%-unknown"},
      ["--checkpoint README.md"] = {1, "README.md"},
      ["--hidden 8 --checkpoint " .. path] = {1, "run with other settings.*shape of"},
      ["--corpus README.md --prompt a --checkpoint " .. path] = {1, "run on another text"},
    } do
      local out, status = run(arguments)
      assert.equal(wanted[1], status, arguments .. ": " .. out)
      assert.truthy(out:find("^train_text: [^\n]*" .. wanted[2]), out)
      assert.equal(1, select(2, out:gsub("\n", "")))
    end
  end)
end)
