-- The family ops: products, reductions, shapes, positions, losses. Their rows stand in
-- tests/support/rows.
local core = require "gru.core"
local harness = require "tests.support.families"

for _, op in ipairs(core.op_names()) do
  local cases = harness.rows[op.name]
  if cases then
    describe(op.name, function()
      for _, case in ipairs(cases) do
        it("gives the reference: " .. case.name, function() harness.forward(case) end)
        if op.differentiable and case.grad ~= false then
          it("has the gradient that differences give: " .. case.name, function()
            harness.gradients(case, "first")
          end)
          it("has the second gradient that differences give: " .. case.name, function()
            harness.gradients(case, "second")
          end)
          it("has the same gradient in float32: " .. case.name, function()
            harness.float32_gradient(case)
          end)
        end
      end
    end)
  end
end
