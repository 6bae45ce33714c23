local flops = require "lib.flops"

return {
  about = "a product of matrices, 2048 x 2048 floats, against the BLAS that PyTorch calls",
  run = function(ctx)
    local n = ctx.quick and 256 or 2048
    local duel = ctx:duel("gemm", {size = n, samples = ctx.quick and 1 or 5})
    local rows = {}
    for _, t in ipairs(ctx.threads) do
      local at = {ours = {[t] = duel.ours[t]}, peer = {[t] = duel.peer[t]}}
      local row = ctx:rows(at, {{
        key = "matmul", title = t > 1 and ("%d threads"):format(t) or "1 thread", unit = "GFLOP/s",
        scale = 1e-9 * flops.matmul(n), rate = true,
      }})[1]
      rows[#rows + 1] = row
    end
    return rows
  end,
}
