-- The family ops: products, reductions, shapes, positions, losses. Their rows stand in
-- tests/support/rows.
local core = require "gru.core"
local harness = require "tests.support.families"
local nd = require "tests.support.nd"
local describe = require("tests.support.devices").describe

-- Ops that want a dim.
local no_scalars = {
  matmul = true, linear = true, narrow = true, select = true, cat = true, embedding = true,
  cross_entropy = true, rnn_sequence = true, lstm_sequence = true, gru_sequence = true,
}

-- Is there a case that has gradients, with an input of the dtype under test for which `holds(shape)`?
local function has_case(cases, holds)
  for _, case in ipairs(cases) do
    for _, input in ipairs(case.inputs) do
      if case.grad ~= false and not input[3] and holds(input[1]) then return true end
    end
  end
  return false
end

describe("gradients are checked for every op", function()
  for _, op in ipairs(core.op_names()) do
    local cases = harness.rows[op.name]
    if cases and op.differentiable then
      it("without elements: " .. op.name, function()
        assert.is_true(has_case(cases, function(shape) return nd.numel(shape) == 0 end))
      end)
      it("without dims: " .. op.name, function()
        assert.equal(not no_scalars[op.name], has_case(cases, function(shape) return #shape == 0 end))
      end)
    end
  end
end)

for _, op in ipairs(core.op_names()) do
  local cases = harness.rows[op.name]
  if cases then
    describe(op.name, function()
      for _, case in ipairs(cases) do
        it("gives the reference: " .. case.name, function() harness.forward(case) end)
        if op.differentiable and case.grad ~= false then
          for _, layout in ipairs(harness.gradient_layouts(case)) do
            it(("has the gradients that differences give: %s, %s"):format(case.name, layout), function()
              harness.gradients(case, layout)
            end)
          end
          it("has the same gradient in float32: " .. case.name, function()
            harness.float32_gradient(case)
          end)
        end
      end
    end)
  end
end
