local article = require "lib.article"

-- Memory stands after a few epochs: every one takes what the first took.
return {
  about = "the most memory held by the article's whole script: both halves, and writing",
  run = function(ctx)
    local args = article.arguments(ctx, "both", ctx.quick and 1 or 4, 0)
    args.period = 1
    local duel = ctx:duel("article", args, {math.max(table.unpack(ctx.threads))})
    local rows = ctx:rows(duel, {{key = "memory", title = "whole script", unit = "MB", scale = 1e-6}})
    local _, peer = next(duel.peer)
    if peer then
      rows[#rows + 1] = ctx:rows({ours = duel.ours, peer = {{memory = peer.import_memory}}}, {
        {key = "memory", title = "whole script; the peer has imported only", unit = "MB", scale = 1e-6},
      })[1]
    end
    return rows
  end,
}
