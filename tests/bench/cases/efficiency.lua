local article = require "lib.article"
local flops = require "lib.flops"
local stats = require "lib.stats"

local HALVES = {"scratch", "nn"}

-- The useful rate of training, as a share of what a large product reaches right before and after the same
-- epoch, in the same process: the machine may be slower or faster a moment later.
return {
  about = "useful GFLOP/s of both halves over those of a large product, by hidden size",
  run = function(ctx)
    local threads, rows = math.max(table.unpack(ctx.threads)), {}
    local n = ctx.quick and 256 or 2048
    for _, hidden in ipairs(ctx.quick and {32} or {256, 512, 1024}) do
      local sides = {}
      for i, half in ipairs(HALVES) do
        local args = article.arguments(ctx, half, ctx.quick and 1 or 5, ctx.quick and 1 or 2, hidden)
        args.threads, args.product = threads, n
        sides[i] = ctx:ours("article", args)
      end
      local turns, work = ctx:turns(sides), article.gflop(ctx, hidden)
      for i, half in ipairs(HALVES) do
        if turns[i] then
          local epochs = turns[i]["epoch_" .. half]
          local shares = stats.ratios(turns[i].product, epochs) -- of the time
          rows[#rows + 1] = {
            figure = ("%s, H = %d"):format(half, hidden), unit = "GFLOP/s", better = "more",
            ours = stats.rate(epochs, work),
          }
          rows[#rows + 1] = {
            figure = ("%s, H = %d, of a product's rate"):format(half, hidden), unit = "%", better = "more",
            ours = stats.summary(shares, 100 * work / (1e-9 * flops.matmul(n))),
          }
        end
      end
    end
    return rows
  end,
}
