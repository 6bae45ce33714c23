-- Every module and every function of nn has gradients that differences give, with respect to its
-- inputs and its parameters, of the first and of the second order.  One without a row fails.
local core = require "gru.core"
local families = require "tests.support.families"
local gru = require "gru"
local layers = require "tests.support.rows.layer"
local describe = require("tests.support.devices").describe

local nn = gru.nn

-- No module to call; class ids to bits; what changes tensors in place without a record.
local without = {
  Module = true, ModuleList = true, Parameter = true, is_module = true, one_hot = true,
  clip_grad_norm_ = true, clip_grad_value_ = true, vector_to_parameters = true,
}

-- Modules and functions.
local public = {}
for _, list in ipairs {nn, nn.functional, nn.utils, nn.utils.rnn} do
  for name, value in pairs(list) do
    local is_class = type(value) == "table" and getmetatable(value) ~= nil
    -- ops have rows of their own
    if is_class or type(value) == "function" and value ~= core.functions[name] then public[name] = true end
  end
end

describe("the table of layers", function()
  it("knows every module and function", function()
    for name in pairs(public) do
      assert(layers[name] or without[name], name .. " has no row in tests/support/rows/layer.lua")
    end
  end)

  it("names nothing else", function()
    for _, list in ipairs {layers, without} do
      for name in pairs(list) do assert(public[name], name .. " is no module or function of nn") end
    end
  end)
end)

local names = {}
for name in pairs(layers) do names[#names + 1] = name end
table.sort(names)

for _, name in ipairs(names) do
  describe(name .. " has the gradients that differences give:", function()
    for _, case in ipairs(layers[name]) do
      it(case.name, function()
        for _, layout in ipairs(families.gradient_layouts(case)) do families.gradients(case, layout) end
      end)
    end
  end)
end
