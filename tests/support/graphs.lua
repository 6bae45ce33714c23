-- What the specs of CUDA graphs share.
local assert = require "luassert"
local core = require "gru.core"
local gru = require "gru"

local graphs = {}

function graphs.bits(x)
  if not core.is_tensor(x) then return tostring(x) end
  local out = {}
  for i, v in ipairs(x:detach():to("cpu"):reshape(-1):totable()) do out[i] = string.pack("d", v) end
  return table.concat(out)
end

function graphs.raises(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.truthy(tostring(message):find(pattern), message)
end

-- Runs f with the warnings that it gives.
function graphs.warnings(f)
  local told, before = {}, rawget(_G, "warn")
  rawset(_G, "warn", function(text) told[#told + 1] = text end)
  local ok, message = pcall(f)
  rawset(_G, "warn", before)
  if not ok then error(message, 0) end
  return told
end

-- Calls run(wrap) for the step itself and for the step in a graph; what it returns must have equal bits.
-- `run` gets a function that makes a step, and gives a list of tensors and numbers.
function graphs.same(run, check)
  local wrapped = {}
  local function results(wrap)
    gru.manual_seed(11)
    local out = {}
    for i, x in ipairs(run(wrap)) do out[i] = graphs.bits(x) end
    return out
  end
  local plain = results(function(step) return step end)
  local graphed = results(function(step)
    wrapped[#wrapped + 1] = gru.cuda.graph(step)
    return wrapped[#wrapped]
  end)
  assert.equal(#plain, #graphed)
  for i, b in ipairs(plain) do assert(b == graphed[i], "result " .. i .. " differs") end
  for _, f in ipairs(wrapped) do
    assert.is_nil(f:info().eager)
    assert.truthy(f:info().graphs > 0)
    if check then check(f:info()) end
  end
end

return graphs
