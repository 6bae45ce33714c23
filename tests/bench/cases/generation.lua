return {
  about = "greedy writing, one character after the other",
  run = function(ctx)
    local duel = ctx:duel("generation", {
      corpus = ctx.corpus, prefix = ctx.prefix, hidden = ctx.quick and 32 or 256,
      count = ctx.quick and 20 or 500, samples = ctx.quick and 1 or 5,
    })
    return ctx:rows(duel, {
      {key = "char", title = "characters a second", unit = "1/s", scale = 1, rate = true},
      {key = "floor", title = "were it reading the weights alone", unit = "1/s", scale = 1, rate = true},
    })
  end,
}
