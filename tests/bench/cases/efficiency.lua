local article = require "lib.article"
local flops = require "lib.flops"
local stats = require "lib.stats"

-- The useful rate of training, as a share of what a large product reaches in the same turns.
return {
  about = "useful GFLOP/s of both halves over those of a large product, by hidden size",
  run = function(ctx)
    local threads, rows = math.max(table.unpack(ctx.threads)), {}
    local n = ctx.quick and 256 or 2048
    for _, hidden in ipairs(ctx.quick and {32} or {256, 512, 1024}) do
      local sides = {ctx:ours("gemm", {size = n, samples = ctx.quick and 1 or 3, threads = threads})}
      local halves = {"scratch", "nn"}
      for _, half in ipairs(halves) do
        local args = article.arguments(ctx, half, ctx.quick and 1 or 5, ctx.quick and 1 or 2, hidden)
        args.threads = threads
        sides[#sides + 1] = ctx:ours("article", args)
      end
      local turns = ctx:turns(sides)
      local product = turns[1] and 1e-9 * flops.matmul(n) / stats.median(turns[1].matmul)
      for i, half in ipairs(halves) do
        local figures = turns[i + 1]
        if figures then
          local rate = stats.rate(figures["epoch_" .. half], article.gflop(ctx, hidden))
          rows[#rows + 1] = {
            figure = ("%s, H = %d"):format(half, hidden), unit = "GFLOP/s", better = "more", ours = rate,
          }
          if product then
            rows[#rows + 1] = {
              figure = ("%s, H = %d, of a product's rate"):format(half, hidden), unit = "%", better = "more",
              ours = {median = 100 * rate.median / product},
            }
          end
        end
      end
    end
    return rows
  end,
}
