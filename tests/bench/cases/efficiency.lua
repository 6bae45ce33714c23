local article = require "lib.article"
local flops = require "lib.flops"
local stats = require "lib.stats"

local HALVES = {"scratch", "nn"}

-- The useful rate of training, as a share of what a large product reaches in the same round: right before
-- it, for the machine may be slower or faster a minute later.  The median over the rounds counts.
return {
  about = "useful GFLOP/s of both halves over those of a large product, by hidden size",
  run = function(ctx)
    local threads, rows = math.max(table.unpack(ctx.threads)), {}
    local n = ctx.quick and 256 or 2048
    local product = flops.matmul(n)
    for _, hidden in ipairs(ctx.quick and {32} or {256, 512, 1024}) do
      local sides = {}
      for _, half in ipairs(HALVES) do
        local args = article.arguments(ctx, half, ctx.quick and 1 or 5, ctx.quick and 1 or 2, hidden)
        args.threads = threads
        sides[#sides + 1] = ctx:ours("gemm", {size = n, samples = ctx.quick and 1 or 8, threads = threads})
        sides[#sides + 1] = ctx:ours("article", args)
      end
      local turns, work = ctx:turns(sides), article.gflop(ctx, hidden)
      for i, half in ipairs(HALVES) do
        local before, figures = turns[2 * i - 1], turns[2 * i]
        if figures then
          local epochs = figures["epoch_" .. half]
          rows[#rows + 1] = {
            figure = ("%s, H = %d"):format(half, hidden), unit = "GFLOP/s", better = "more",
            ours = stats.rate(epochs, work),
          }
          if before then
            local shares = stats.ratios(before.matmul, epochs, ctx.rounds)
            for r, ratio in ipairs(shares) do shares[r] = 100 * ratio * work / (1e-9 * product) end
            rows[#rows + 1] = {
              figure = ("%s, H = %d, of a product's rate"):format(half, hidden), unit = "%", better = "more",
              ours = stats.summary(shares),
            }
          end
        end
      end
    end
    return rows
  end,
}
