local article = require "lib.article"
local stats = require "lib.stats"

return {
  about = "an epoch of the article's first half: gates written with matmul, sigmoid and tanh",
  run = function(ctx)
    local rows = article.rows(ctx, "scratch")
    -- both halves in turns, for their ratio
    local threads = math.max(table.unpack(ctx.threads))
    local sides = {}
    for i, half in ipairs {"scratch", "nn"} do
      local args = article.arguments(ctx, half, ctx.quick and 1 or 3, 1)
      args.threads = threads
      sides[i] = ctx:ours("article", args)
    end
    local turns = ctx:turns(sides)
    if turns[1] and turns[2] then
      rows[#rows + 1] = {
        figure = "its epoch over that of nn", unit = "", better = "less",
        ours = {median = stats.median(turns[1].epoch_scratch) / stats.median(turns[2].epoch_nn)},
      }
    end
    return rows
  end,
}
